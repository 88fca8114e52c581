"""Networks × settings × seeds to runs: defined in a file, planned, run, gone on with, compared."""
