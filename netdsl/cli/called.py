"""What an option is called by who asks for it: typed at this command, or a key of its file."""

from __future__ import annotations

import json

import click
from click.core import ParameterSource

_KEYS = {"--init": "weights", "-D": "params"}  # that a file calls otherwise than a command line


def key_of(option: str) -> str:
    """Return the key of an experiment's file that stands for an option of `train`.

    >>> key_of("--data-dir"), key_of("--init")
    ('data_dir', 'weights')
    """
    return _KEYS.get(option, option.lstrip("-").replace("-", "_"))


def called(option: str) -> str:
    """Return what an option of `train` is called by the command that runs, or in its file.

    A command may take what its file may say too: it is an option then where it was typed.
    """
    return key_of(option) if _stands_in_a_file(option) else option


def given(option: str, value: str | int | bool) -> str:
    """Return how a value of an option of `train` is typed here, or written in a file.

    Nothing where the command that runs takes neither. A switch is True.
    """
    if _stands_in_a_file(option):
        return f"`{key_of(option)} = {json.dumps(value)}`"
    typed = option if value is True else f"{option} {value}"
    return typed if takes(option) else ""


def takes(option: str) -> bool:
    """Say whether the command that runs has an option of `train` too."""
    context = click.get_current_context(silent=True)
    return context is None or bool(_names(context, option))


def to_one_size() -> str:
    """Return what to do about images of several sizes, in options of the command."""
    context = click.get_current_context(silent=True)
    options = context.params if context else {}
    if options.get("fit"):
        return "say by --input which shape --fit brings them to"
    by_hand = "bring all images to one size"
    if "fit" in options:
        said = ", or as `--input 3x64x64` says" if takes("--input") else ""
        return f"{by_hand}, or have it done: `--fit` to what the network takes{said}"
    if "shape" in options:
        return f"{by_hand}, or have it done: `--input 3x64x64`"
    if "file" in options:
        return f"{by_hand}, or have it done: `fit = true` in {options['file']}"
    return by_hand


def typed() -> dict[str, str]:
    """Return the options of the command that somebody typed, by their names and as they are typed.

    `definitions` is `-D`.
    """
    context = click.get_current_context()
    return {
        str(param.name): param.opts[0]
        for param in context.command.params
        if context.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    }


def _stands_in_a_file(option: str) -> bool:
    """Say whether the command that runs reads a file of networks, and nobody typed the option."""
    context = click.get_current_context(silent=True)
    if context is None or "file" not in context.params:
        return False
    sources = map(context.get_parameter_source, _names(context, option))
    return ParameterSource.COMMANDLINE not in sources


def _names(context: click.Context, option: str) -> list[str]:
    """Return the parameter of a command that is typed so, if it has one."""
    params = context.command.params
    return [str(param.name) for param in params if option in param.opts]
