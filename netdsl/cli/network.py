"""What every command that takes a network has in common: its argument, its options, its reading."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from netdsl.cli.called import called
from netdsl.cli.kinds import TEXT
from netdsl.cli.notes import note

if TYPE_CHECKING:
    from netdsl.network import Network
    from netdsl.shelf import Arch

OPTIONS = (
    click.option("--plain", is_flag=True, default=None, help="The plain twin: no shortcuts."),
    click.option(
        "-D", "definitions", multiple=True, metavar="NAME=VALUE",
        help="Set a parameter or setting of the file; may be repeated.",
    ),
    click.option("--scale", type=TEXT, metavar="NAME", help="Choose one of the file's scales."),
    click.option("--input", "input_", type=TEXT, metavar="CxHxW", help="The shape of an image."),
    click.option("--classes", type=click.IntRange(1), help="How many classes there are."),
)  # fmt: skip


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that override what a file says."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read(
    arch: str,
    *,
    plain: bool | None,
    definitions: tuple[str, ...],
    scale: str | None,
    input_: str | None,
    classes: int | None,
) -> Network:
    """Return the network that the arguments name; ARCH `-` is standard input."""
    from netdsl.network import build

    source = open_source(arch)
    said = overrides(plain, definitions, scale, input_, classes)
    network = build(*source.with_overrides(said))
    note_own_twin(network, plain)
    return network


def note_own_twin(network: Network, plain: bool | None) -> None:
    """Say that the plain twin is asked for of a network that has no shortcuts."""
    if plain and not network.override(residual=True).blocks:
        fact = f"{network.name} has no shortcuts, and is its own plain twin"
        note(f"{called('--plain')} changes nothing: {fact}")


def open_source(arch: str) -> Arch:
    """Return the parsed source of a path, a shipped name, or standard input."""
    from netdsl.shelf import open_arch, read_bytes

    if arch == "-":
        return read_bytes(sys.stdin.buffer.read(), "<stdin>")
    return open_arch(arch)


def overrides(
    plain: bool | None,
    definitions: tuple[str, ...],
    scale: str | None,
    input_: str | None,
    classes: int | None,
) -> Any:
    """Return what the command line says in place of the file."""
    from netdsl.lower import make_overrides

    shape = None if input_ is None else parsed_shape(input_)
    return make_overrides(plain or None, shape, classes, scale, parsed_definitions(definitions))


def parsed_definitions(definitions: tuple[str, ...]) -> dict[str, str]:
    """Return the names and values that are typed at `-D`."""
    names: dict[str, str] = {}
    for definition in definitions:
        name, equals, value = definition.partition("=")
        if not equals or not name:
            raise click.BadParameter(
                f"`{definition}` is not of the form NAME=VALUE", param_hint="-D"
            )
        if name.strip() in names:
            raise click.BadParameter(f"`{name.strip()}` is given twice", param_hint="-D")
        names[name.strip()] = value.strip()
    return names


def show_warnings(network: Network) -> None:
    """Print what was found and is no error, on standard error."""
    for warning in network.warnings:
        click.echo(f"{warning.show()}\n", err=True)


def refuse_own_twin(network: Network) -> None:
    """Refuse a network without shortcuts where it is wanted beside its plain twin."""
    if not network.override(residual=True).blocks:
        fact = f"{network.name} has no shortcuts: it is its own plain twin"
        raise click.UsageError(f"{fact}; leave --twins away")


def parsed_shape(text: str) -> tuple[int, int, int]:
    """Return the shape of an image as it is typed at `--input`."""
    if not re.fullmatch(r"[0-9]{1,6}([x×,][0-9]{1,6}){2}", text):
        raise click.BadParameter(
            f"`{text}` is not a shape such as 3x64x64", param_hint="--input"
        )  # fmt: skip
    channels, height, width = (int(n) for n in re.split("[x×,]", text))
    return channels, height, width
