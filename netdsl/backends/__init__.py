"""Graph to something else; the back ends do not know of one another."""
