"""Networks in one word, `32C3-MP2-512N-10`, and layers in one, `conv3-64`."""

from __future__ import annotations

import re

from netdsl.syntax.here import BLANK, IN_ROW, INPUT_SAID, STRIDE, D, Here, Say, X, code, conv

# The sizes of kernels; any other number is one of channels.
_KERNEL = "(?:[13579]|11)"
# Ciresan et al. 2012: `1x29x29-20C4-MP2-150N-10N`; Courbariaux et al. 2015: `(2×128C3)-MP2-10SVM`.
_DASH = r"\s*[-–—]\s*"
_TWICE = rf"{D}\s*{X}\s*{D}[Cc]{D}"
_LAYER = (
    rf"(?:\({_TWICE}\)|{_TWICE}|{D}[Cc]{D}|[Cc]{D}|(?:MP|AP|P)[0-9]{{0,9}}|{D}[pP]|GAP|{D}(?:FC|N|SVM)"
    rf"|FC?{D}|SM{D}|{D})"
)
_CHAIN = rf"(?:(?P<input>{D}{X}{D}{X}{D}){_DASH})?(?P<chain>{_LAYER}(?:{_DASH}{_LAYER})+)"
# A line of one layer over and over, as in the table of Simonyan and Zisserman 2015.
_ROW_OF_COLUMNS = re.compile(
    rf"(?<![^\n])(?P<one>conv{D}-{D})(?:{BLANK}+(?P=one)){{2,9}}{BLANK}*(?:\n|\Z)", re.IGNORECASE
)


def _chain(match: re.Match[str]) -> Here | None:
    """Return the layers of `32C3-MP2-10`; None where none of them is a convolution.

    `C3-64` alone is a convolution of a kernel of 3. An even kernel has no usual padding: where a
    chain has one, none of its convolutions is meant to be padded.
    """
    if alone := re.fullmatch(rf"[Cc]({_KERNEL}){_DASH}(\d+)", match["chain"]):
        return code(conv(alone[1], alone[1], alone[2]))
    is_valid = any(int(k) % 2 == 0 for k in re.findall(f"{D}[Cc]({D})", match["chain"]))
    layers = [_layer(word, is_valid=is_valid) for word in re.split(_DASH, match["chain"])]
    if not any("Conv" in one for one in layers):
        return None
    if match["input"] and not INPUT_SAID.search(match.string):
        layers.insert(0, f"input {re.sub(X, 'x', match['input'])}")
    return code("  ".join(layers))


def _layer(word: str, *, is_valid: bool) -> str:
    if of := re.fullmatch(rf"\(?(\d+)\s*{X}\s*(\d+)[Cc](\d+)\)?", word):
        return f"({_square(of[3], of[2], is_valid=is_valid)})x{of[1]}"
    if of := re.fullmatch(r"(\d*)[Cc](\d+)", word):
        return _square(of[2], of[1], is_valid=is_valid) if of[1] else f"Conv {of[2]}"
    if of := re.fullmatch(r"(MP|AP|P)(\d*)|(\d+)[pP]", word):
        return f"{'Avg' if of[1] == 'AP' else 'Max'} {of[2] or of[3] or 2}"
    return "GAP" if word == "GAP" else f"FC {re.sub('[^0-9]', '', word)}"


def _square(k: str, channels: str, *, is_valid: bool) -> str:
    return conv(k, k, channels) + (" p0" if is_valid and k != "1" else "")


def _vgg(match: re.Match[str]) -> Here | None:
    """Return the convolution of `conv3-64`, or of `conv64-3`, where only the 3 can be a kernel.

    `conv3_64` is one as well; other numbers behind `_` count layers.
    """
    k, channels = match["k"], match["channels"]
    if match["low"] and (int(channels) % 8 or not re.fullmatch(_KERNEL, k)):
        return None
    if not match["other"] and not re.fullmatch(_KERNEL, k) and re.fullmatch(_KERNEL, channels):
        k, channels = channels, k
    if len(k) > 2:
        return None
    is_row = _ROW_OF_COLUMNS.match(match.string, match.start()) is not None
    help = (
        "in a table with a column for each network: paste one column at a time" if is_row else None
    )
    return Here(f"`{conv(k, k, channels, match['stride'])}`", help)


def _list(match: re.Match[str]) -> Here | None:
    """Return the layers of `[64, 'M', 128, 'M']`, as torchvision has VGG."""
    words = re.findall(r"\d+|M", match[0])
    if "M" not in words:
        return None
    return code("  ".join("Max 2" if word == "M" else f"Conv {word}" for word in words))


CHAINS: tuple[tuple[re.Pattern[str], Say], ...] = (
    (
        re.compile(rf"(?<![\w.=*+/@-]){_CHAIN}(?:(?:{_DASH})?[Ss]oft-?max)?(?![\w-])"),
        _chain,
    ),
    (
        re.compile(
            rf"\bconv(?P<k>{D})(?P<other>{X}{D})?"
            rf"(?:-|(?P<low>_)(?=[0-9]{{3}}|[0-9]{{2}}(?!{IN_ROW})))(?P<channels>{D})\b"
            rf"(?:-?{STRIDE})",
            re.IGNORECASE,
        ),
        _vgg,
    ),
    (re.compile(rf"\[\s*{D}(?:\s*,\s*(?:{D}|'M'))+(?:\s*,)?\s*\]"), _list),
    # Ledig et al. 2017: kernel, number of maps, stride.
    (
        re.compile(rf"\b(?:[Cc]onv\w*\s+)?k(?P<k>{D})n(?P<channels>{D})s(?P<stride>{D})\b"),
        lambda match: code(conv(match["k"], match["k"], match["channels"], match["stride"])),
    ),
)
