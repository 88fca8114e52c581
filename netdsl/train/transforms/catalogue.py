"""A text such as `pad_crop padding=4` to a transform: names and options looked up and checked."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from netdsl.suggest import did_you_mean
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.transforms.colour import Blur, Brightness, Colour, Contrast, Erase, Sharpness
from netdsl.train.transforms.geometry import Crop, Rotate, Scale, Shear, Shift
from netdsl.train.transforms.heavy import Heavy, Sometimes
from netdsl.train.transforms.simple import CropRescale, Flip, PadCrop
from netdsl.train.transforms.transform import Transform

TRANSFORMS: dict[str, type[Any]] = {
    "flip": Flip,
    "crop_rescale": CropRescale,
    "pad_crop": PadCrop,
    "crop": Crop,
    "scale": Scale,
    "shift": Shift,
    "rotate": Rotate,
    "shear": Shear,
    "brightness": Brightness,
    "contrast": Contrast,
    "colour": Colour,
    "sharpness": Sharpness,
    "blur": Blur,
    "erase": Erase,
    "heavy": Heavy,
}

# The most that an option can mean: parts of a whole, half a turn, a factor of 1 ± `most` above 0.
_MOST = {"p": 1.0, "least": 1.0, "most": 1.0, "most of rotate": 180.0, "most of blur": None}
_BELOW = {"most of scale": 1.0}  # an image shrunk by all of it would be gone
_ANY = 1024  # pixels: more would be a slip


def make(text: str) -> Transform:
    """Return the transform that a text names; every one can be applied with probability `p`.

    >>> make("pad_crop padding=2"), make("flip")
    (PadCrop(padding=2), Flip(p=0.5))
    >>> make("rotate most=30 p=0.5")
    Sometimes(transform=Rotate(most=30.0), p=0.5)
    """
    name, *options = text.split() or [""]
    if name not in TRANSFORMS:
        known = did_you_mean(name, TRANSFORMS, "transforms")
        raise TrainError(f"{name!r} is not a transform", known, ExitCode.USAGE)
    own = {field.name: type(field.default) for field in fields(TRANSFORMS[name])}
    given: dict[str, Any] = {}
    for key, value in (_option(name, option, {"p": float, **own}) for option in options):
        if key in given:
            raise TrainError(f"{name} is given {key} twice", None, ExitCode.USAGE)
        given[key] = value
    p = 1.0 if "p" in own else given.pop("p", 1.0)
    transform: Transform = TRANSFORMS[name](**given)
    return transform if p == 1.0 else Sometimes(transform, p)


def _option(name: str, option: str, types: dict[str, type[Any]]) -> tuple[str, Any]:
    """Return an option of a transform, its text as the number that it stands for."""
    key, equals, text = option.partition("=")
    if key not in types or not equals:
        known = did_you_mean(key, types, f"options of {name}")
        raise TrainError(f"{name} has no option {option!r}", known, ExitCode.USAGE)
    try:
        value = types[key](text)
    except ValueError as error:
        kind = "a whole number" if types[key] is int else "a number"
        fact = f"{key} of {name} is {text!r}, but must be {kind}"
        raise TrainError(fact, None, ExitCode.USAGE) from error
    if rule := _broken_rule(f"{key} of {name}", key, value):
        raise TrainError(f"{key} of {name} is {text}, but must be {rule}", None, ExitCode.USAGE)
    return key, value


def _broken_rule(whole: str, key: str, value: float) -> str:
    """Return where the value of an option must lie, empty if it does."""
    if whole in _BELOW:
        below = _BELOW[whole]
        return "" if 0 <= value < below else f"0 or more and below {below:g}"
    most = _MOST.get(whole, _MOST.get(key))
    if most is None:
        return "" if 0 <= value <= _ANY else f"0 or more, up to {_ANY}"
    return "" if 0 <= value <= most else f"between 0 and {most:g}"
