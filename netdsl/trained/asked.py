"""What a run remembers of how it was asked for, checked before anything rests on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netdsl.train import RunFolder


def asked_of(run: RunFolder) -> dict[str, Any]:
    """Return what a run remembers; raise where something in it cannot be what was asked."""
    asked: dict[str, Any] = dict(run.asked)
    _refuse_unsound(asked, _KINDS, run)
    if before := _older_stage(run, asked):
        asked |= {"init": None, "after": before}
    if asked.get("data") is not None:
        _refuse_unsound({"data": None, **asked["data"]}, _OF_IMAGES, run)
    return asked


def _older_stage(run: RunFolder, asked: Mapping[str, Any]) -> str:
    """Return the stage before, of a run that remembers it as a file of weights; else nothing."""
    weights = Path(asked.get("init") or "")
    if "after" in asked or weights.name != run.last.name:
        return ""
    numbers = (re.match(r"\d+", path.name) for path in (weights.parent, run.path.resolve()))
    first, second = (int(found[0]) if found else 0 for found in numbers)
    is_beside = (run.path.resolve().parent / weights.parent.name).is_dir()
    return weights.parent.name if first and second == first + 1 and is_beside else ""


def _refuse_unsound(
    values: Mapping[str, Any], kinds: Mapping[str, Callable[[Any], bool]], run: RunFolder
) -> None:
    from netdsl.train import TrainError

    for name, is_sound in kinds.items():
        if name in values and not is_sound(values[name]):
            path = run.path / "settings.json"
            raise TrainError(f"{path} is damaged: {name} is {values[name]!r}")


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _may_be(*kinds: type) -> Callable[[Any], bool]:
    """Return a check that a value is not given, or of a kind; a truth is no number."""
    return lambda value: value is None or (isinstance(value, kinds) and not isinstance(value, bool))


def _is_shape(value: Any) -> bool:
    is_list = isinstance(value, list) and len(value) == 3
    return value is None or (is_list and all(type(n) is int and n > 0 for n in value))


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "overrides": _is(dict), "scale": _may_be(str), "data": _may_be(dict),
    "data_dir": _may_be(str), "folder": _may_be(str), "init": _may_be(str),
    "init_sha256": _may_be(str),
    "after": _may_be(str), "freeze": _is(list),
}  # fmt: skip
_OF_IMAGES: Mapping[str, Callable[[Any], bool]] = {
    "data": _is(str), "limit": _may_be(int), "limit_classes": _may_be(int),
    "holdout": _is(int, float), "shape": _is_shape, "on_bad_image": _is(str),
}  # fmt: skip
