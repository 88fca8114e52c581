"""Networks, recipes and seeds to runs that are compared."""
