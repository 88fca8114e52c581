"""`python -m netdsl`: the command line."""

from netdsl.cli import main

if __name__ == "__main__":
    main()
