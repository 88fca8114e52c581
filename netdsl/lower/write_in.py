"""What was said in place of a file, written into it: a text that says all by itself."""

from __future__ import annotations

from dataclasses import replace

from netdsl.errors import NetDSLError
from netdsl.lower.bound import value_text
from netdsl.lower.classes import follow_classes
from netdsl.lower.mentions import names_in
from netdsl.lower.names import SETTINGS
from netdsl.lower.outside import OF_ANY_NETWORK
from netdsl.lower.override import Overrides, given_for
from netdsl.lower.use import used_path
from netdsl.ops import CATALOGUE
from netdsl.syntax import parse, tree

_FACTORS = ("width", "depth")


def write_in(file: tree.File, overrides: Overrides) -> tuple[tree.File, Overrides]:
    """Return the file with what is said in its place, and what of that no text of it can say.

    The latter are a scale with a width or a depth, parameters of files that it uses, and values
    such as 1e-200. What the file expects spoke of it as it was, and is left out.
    """
    scale = _scale(file, overrides)
    if not overrides.names and scale is None:
        return file, overrides
    follows = follow_classes(file, overrides)
    header: list[tree.Header] = [e for e in follows.header if not isinstance(e, tree.Expect)]
    values: dict[str, tree.Value | None]
    values = {o.key: o.value for o in scale.options} if scale else {}
    texts = {name: value_text(given_for(name, value)) for name, value in overrides.names.items()}
    if (values.keys() & texts.keys()) - OF_ANY_NETWORK:
        values.pop("name", None)  # of another network than this one
    values |= {name: _value(text) for name, text in texts.items()}
    left = {name for name, value in values.items() if not _enter(header, name, value)}
    names = {name: value for name, value in overrides.names.items() if name in left}
    rest = Overrides(names, None if scale else overrides.scale)
    return replace(file, header=tuple(header), body=follows.body), rest


def _scale(file: tree.File, overrides: Overrides) -> tree.Scale | None:
    """Return the scale that was chosen, if settings and parameters say all that it does."""
    chosen = [e for e in file.header if isinstance(e, tree.Scale) and e.name == overrides.scale]
    return next((e for e in chosen if not {o.key for o in e.options} & {*_FACTORS}), None)


def _value(text: str) -> tree.Value | None:
    """Return a value as the language reads it; None where it has no way to write it."""
    try:
        (entry,) = parse(f"n = {text} Conv 1").header
    except NetDSLError:
        return None
    assert isinstance(entry, tree.Parameter), "`n = …` is a parameter"
    return entry.value


def _enter(header: list[tree.Header], name: str, value: tree.Value | None) -> bool:
    """Put a value where it is said, or behind all else; false where no text can say it."""
    if value is None:
        return False
    layer, _, option = name.partition(".")
    for place, entry in enumerate(header):
        if isinstance(entry, tree.Setting) and entry.key == name:
            del header[place]
            header.insert(min(place, _first_reader(header, name)), replace(entry, value=value))
            return True
        if isinstance(entry, tree.Parameter) and entry.name == name:
            header[place] = replace(entry, value=value)
            return True
        if isinstance(entry, tree.Default) and option and entry.layer == layer:
            others = tuple(o for o in entry.options if not says(layer, o, option))
            header[place] = replace(entry, options=(*others, tree.Option(option, value)))
            return True
    if option:
        header.append(tree.Default(layer, (tree.Option(option, value),)))
    elif name in SETTINGS:
        header.insert(_first_reader(header, name), tree.Setting(name, value))
    return bool(option) or name in SETTINGS


def _first_reader(header: list[tree.Header], name: str) -> int:
    """Return the place of the first entry whose value may rest on a setting, as on `classes`."""
    values = tree.Parameter | tree.Setting | tree.Default
    readers = (
        place
        for place, entry in enumerate(header)
        if used_path(entry) or (isinstance(entry, values) and name in names_in(entry))
    )
    return next(readers, len(header))


def says(layer: str, written: object, option: str) -> bool:
    """Say whether an argument gives a layer this option: by its key, or by a flag such as `pre`."""
    if isinstance(written, tree.Option):
        return written.key == option
    flags = getattr(CATALOGUE.get(layer), "flags", {})
    if not isinstance(written, tree.Name) or written.text not in flags:
        return False
    return bool(flags[written.text][0] == option)
