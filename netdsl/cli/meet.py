"""A network and images that fit each other, each told of the other what it does not say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netdsl.amounts import numbers, sized
from netdsl.cli.called import called, given
from netdsl.cli.images import load_images
from netdsl.cli.notes import note

if TYPE_CHECKING:
    from netdsl.network import Network
    from netdsl.shelf import Arch
    from netdsl.train import DataSet
    from netdsl.train.data import Entry

Shape = tuple[int, int, int]


def meet(
    source: Arch, said: Any, where: dict[str, Any], data_dir: Path | None, fit: bool
) -> tuple[Network, DataSet]:
    """Return network and images that fit each other, each told of the other what it does not say.

    What is wrong with the network is said before an image is read, where that can be. The shape
    that images are made in or brought to is added to `where`.
    """
    from netdsl import train

    entry = train.DATA_SETS.get(where["data"])
    _refuse_vectors(source, said, entry)
    if entry is not None and entry.free:
        return _meet_shapes(source, said, where, entry)
    meets = _meet_fitted if fit else _meet_given
    return meets(source, said, where, data_dir, entry)


def _refuse_vectors(source: Arch, said: Any, entry: Entry | None) -> None:
    """Refuse a network of vectors: all images have channels, height and width."""
    from netdsl.checking import declared

    shape = declared(*source.with_overrides(said)).input
    if shape is not None and not shape.is_map:
        image = sized(entry.shape) if entry else "3x64x64"
        raise _misfit(
            f"{source.name} takes vectors of {numbers(shape.dims)}, and data sets are of images",
            f"an image is channels, height and width, as in `input {image}`",
        )


def _meet_shapes(
    source: Arch, said: Any, where: dict[str, Any], entry: Entry
) -> tuple[Network, DataSet]:
    """Make images of the shape and the classes that the network has."""
    network = _build(source, said, entry.shape, entry.classes)
    classes, *more = network.output_shape
    if more:
        end = "`Flatten`" if more == [1, 1] else "`GAP FC classes`"
        raise _misfit(
            f"{source.name} gives {numbers(network.output_shape)} an image, no number a class",
            f"end it with {end}",
        )
    if classes < 2:
        fact = f"{source.name} gives {numbers(network.output_shape)} an image, a number a class"
        raise _misfit(fact, "let its last layer tell 2 classes or more")
    where |= {"shape": list(network.input_shape), "limit_classes": classes}
    return network, load_images(where, None)


def _meet_given(
    source: Arch, said: Any, where: dict[str, Any], place: Path | None, entry: Entry | None
) -> tuple[Network, DataSet]:
    """Refuse a network that takes other images or tells other classes."""
    if entry is not None:
        classes = min(where["limit_classes"] or entry.classes, entry.classes)
        _matched(source, said, entry.name, entry.shape, classes)
    images = load_images(where, place)
    return _matched(source, said, images.name, images.shape, len(images.classes)), images


def _meet_fitted(
    source: Arch, said: Any, where: dict[str, Any], place: Path | None, entry: Entry | None
) -> tuple[Network, DataSet]:
    """Bring the images to the network's shape, and its last layer to the classes of the data."""
    from netdsl.checking import declared
    from netdsl.lower import end_in_classes

    shape = declared(*source.with_overrides(said)).input or (entry.shape if entry else None)
    if entry is not None:
        _build_unfitted(source, said, shape, where["limit_classes"] or entry.classes)
    where["shape"] = list(shape) if shape else None
    images = load_images(where, place)
    classes = len(images.classes)
    network, end = _build_unfitted(source, said, images.shape, classes), ""
    if network.output_shape != (classes,):
        end = f"; its last layer gives {classes}, not {sized(network.output_shape)}"
        source = replace(source, file=end_in_classes(source.file))
        said = replace(said, names={**said.names, "classes": classes})
        network = _build(source, said, images.shape, classes)
    fact = f"{called('--fit')}: the images of {images.name} are brought to {sized(images.shape)}"
    note(f"{fact} for {network.name}{end}")
    return network, images


def _matched(source: Arch, said: Any, data: str, shape: Shape, classes: int) -> Network:
    """Build a network for images of a shape and classes; one that is for others is refused."""
    _refuse_conflict(source, said, data, shape, classes)
    with _fit_offered():
        network = _build(source, said, shape, classes)
    if network.output_shape != (classes,):
        raise _misfit(
            f"{source.name} gives {numbers(network.output_shape)} an image, "
            f"and {data} has {classes} classes",
            "end it with `Flatten`"
            if network.output_shape == (classes, 1, 1)
            else "end it with `FC classes`" + _or_fit("or give {}, which does that for a last FC"),
        )
    return network


def _build(source: Arch, said: Any, shape: Shape | None, classes: int) -> Network:
    """Build a network, told the shape and the classes where it needs them and nobody says them."""
    from netdsl.checking import declared
    from netdsl.errors import NetDSLError
    from netdsl.network import build

    settings = declared(*source.with_overrides(said))
    names = dict(said.names)
    if settings.input is None and shape is not None:
        names["input"] = shape
    told = replace(said, names=names | {"classes": classes})
    if settings.classes is not None:
        told = replace(said, names=names)
    else:
        # A column that ends with `FC 200` has said its classes, and would contradict others.
        with contextlib.suppress(NetDSLError):
            return build(*source.with_overrides(replace(said, names=names)))
    return build(*source.with_overrides(told))


def _build_unfitted(source: Arch, said: Any, shape: Shape | None, classes: int) -> Network:
    """Build a network whose last layer may give another number than the classes asked for."""
    from netdsl.errors import NetDSLError

    try:
        return _build(source, said, shape, classes)
    except NetDSLError:
        if "classes" not in said.names:
            raise
    names = {name: value for name, value in said.names.items() if name != "classes"}
    return _build(source, replace(said, names=names), shape, classes)


def _refuse_conflict(source: Arch, said: Any, data: str, shape: Shape, classes: int) -> None:
    from netdsl.checking import declared

    settings = declared(*source.with_overrides(said))
    if settings.input not in (None, shape):
        raise _misfit(
            f"{source.name} takes {settings.input} images, and those of {data} are {sized(shape)}",
            f"give {given('--input', sized(shape))}, if the network is to take these"
            + _or_fit("or {} to bring them to its own"),
        )
    if settings.classes not in (None, classes):
        raise _misfit(
            f"{source.name} tells {settings.classes} classes, and {data} has {classes}",
            f"give {given('--classes', min(classes, settings.classes))}"
            + _or_fit("or {} to set its last layer"),
        )


@contextlib.contextmanager
def _fit_offered() -> Iterator[None]:
    """Add to the help of a number of scores that is not that of the classes that --fit sets it."""
    from netdsl.errors import NetDSLError

    try:
        yield
    except NetDSLError as error:
        more = _or_fit("or give {}, which does that for a last FC")
        raise NetDSLError(
            *(
                replace(one, help=f"{one.help}{more}") if one.code == "E0310" else one
                for one in error.diagnostics
            )
        ) from error


def _or_fit(words: str) -> str:
    """Return a way out that fits network and images to each other, where it can be asked for."""
    fit = given("--fit", True)
    return f", {words.format(fit)}" if fit else ""


def _misfit(fact: str, help: str) -> Exception:
    from netdsl.errors import fail

    return fail("E0311", fact, help=help)
