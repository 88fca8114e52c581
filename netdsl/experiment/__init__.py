"""Networks compared and looked into: what a run gets wrong, what a network is before it learns."""
