"""The command line: arguments in, text and files out."""

from netdsl.cli.main import main as main
