"""How large a network may be; what exceeds a limit is refused before any work is done on it."""

LAYERS = 100_000
PARAMETERS = 10**12
DEFINITIONS = 64  # that call each other, one inside the other
NESTING = 100  # brackets and calls of definitions together
DIGITS = 1000  # of a fraction while a value is reckoned
VALUE = 10**12
SIDE = 100_000
CHANNELS = 10**6
KERNEL = 10**4
FEATURES = 10**8
