"""The command `netdsl`: finds its commands lazily and turns every error into an exit code."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from traceback import print_exc
from typing import Any

import click

from netdsl.cli.exit_code import INTERNAL, exit_code_of
from netdsl.cli.notes import OF_FORMS, TRANSLATED
from netdsl.cli.once import OnceGroup
from netdsl.suggest import closest

COMMANDS = {
    "build": "Check a network and show its layers, shapes, parameters and costs.",
    "check": "Check files and say all that is wrong with them; silent on success.",
    "draw": "Draw a network, alone or beside its plain twin.",
    "source": "Print a network as Python that needs torch alone.",
    "fmt": "Print files in canonical layout.",
    "translate": "Print rows of papers, LaTeX, Keras and torch as they are written here.",
    "list": "List the shipped architectures and the layers of the language.",
    "train": "Train a network on images.",
    "experiment": "Plan, run and report a table of networks and seeds.",
    "compare": "Train several networks alike, with several seeds.",
    "ablate": "Train a network and variants of it that each change one thing.",
    "reproduce": "Train a run again, and say whether it comes to the same.",
    "recipes": "List the recipes of training, or show one with every key.",
    "data": "Bring data sets here, say what is in them, show them augmented.",
    "transfer": "Give a network the weights of an equivalent one.",
    "evaluate": "Evaluate a trained network again.",
    "predict": "Tell what a trained network takes images for.",
    "errors": "Show what a trained network gets wrong, as tables, figures and a page.",
    "probe": "Show norms of activations and gradients by depth, before any training.",
    "doctor": "Say what this machine has, what is wrong with it, and the way out.",
}


_WORK = ("train", "experiment", "compare", "ablate", "reproduce")  # cut off, it is not done
_UNREAD = 141  # as a shell tells SIGPIPE


class LazyGroup(OnceGroup):
    """Imports a command when it is called: `netdsl --help` waits for none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"netdsl.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = closest(args[0], COMMANDS)
            meant = f" Did you mean {near!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            found = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # nobody reads on, as in `netdsl list | head`: that is fine
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(_UNREAD if ctx.invoked_subcommand in _WORK else 0)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise  # of what was typed: nothing of it lies in netdsl
        except Exception:
            if ctx.params["traceback"]:
                print_exc()
            raise
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", is_flag=True, help="Show where in netdsl an error arose.")
@click.version_option(package_name="netdsl")
def group(traceback: bool) -> None:
    """Write a convolutional network as a line of text; check it, draw it, train it."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    0 fine, 1 internal error, 2 usage or source, 3 to 6 training, 7 a fault that
    `doctor` found, 8 a difference that `reproduce` found, 130, 141 and 143 signals.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    _write_somewhere()
    _write_any_text()
    try:
        code = group.main(arguments, prog_name="netdsl", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except Exception as error:
        sys.exit(_show(error))
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(130)


def _write_somewhere() -> None:
    """Write to nowhere what would go to a stream that is closed: nobody wants to read it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def _write_any_text() -> None:
    """Write `?` for what a terminal or pipe that is not UTF-8 has no character for."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _show(error: Exception) -> int:
    """Say what happened on standard error and return the exit code."""
    code = exit_code_of(error)
    if isinstance(error, click.ClickException):
        error.show()
    elif not isinstance(error, click.exceptions.Exit):
        click.echo(_said_of(error, code), err=True)
    return code


def _said_of(error: Exception, code: int) -> str:
    from netdsl.errors import NetDSLError

    if isinstance(error, click.Abort):
        return "interrupted"
    if isinstance(error, NetDSLError):
        has_forms = any(one.code == OF_FORMS for one in error.diagnostics)
        return f"{error}\n\n{TRANSLATED}" if has_forms else str(error)
    if code == INTERNAL:
        return (
            f"internal error: {type(error).__name__}: {error}\n"
            "this is a fault of netdsl; `netdsl --traceback …` shows where it is"
        )
    if isinstance(error, OSError) and error.filename and error.strerror:
        error = OSError(f"{error.filename}: {error.strerror}")
    help = getattr(error, "help", None)
    kind = "" if code > 128 else "error: "  # a signal is no error
    return f"{kind}{error}" + (f"\n  = help: {help}" if help else "")
