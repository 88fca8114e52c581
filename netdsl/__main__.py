"""`netdsl` and `python -m netdsl`: the command line, and Ctrl-C while it is being imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit."""
    try:
        from netdsl.cli import main as run

        run()
    except SystemExit as end:
        from netdsl.cli.ranks import end_among_others

        end_among_others(end.code)
        raise
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
