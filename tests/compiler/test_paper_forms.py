"""Tables as papers print them: what is said of each form, written in its place, is the network."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netdsl

# Simonyan and Zisserman 2015, table 1, column A.
VGG = """conv3-64 maxpool conv3-128 maxpool conv3-256 conv3-256 maxpool
conv3-512 conv3-512 maxpool conv3-512 conv3-512 maxpool FC-4096 FC-4096 FC-1000 soft-max"""
# He et al. 2015, table 1, columns 34-layer and 50-layer; strides of stages stand in its text.
HE = """7×7, 64, stride 2
3×3 max pool, stride 2
{0}
average pool, 1000-d fc, softmax"""
RESNET34 = (
    "[3×3, 64\n3×3, 64]×3 [3×3, 128; 3×3, 128]×4 [3×3, 256 3×3, 256]×6 [3×3, 512, 3×3, 512]×3"
)
RESNET50 = r"""[1\times1, 64 \\ 3\times3, 64 \\ 1\times1, 256]\times3
$\left[\begin{array}{c} 1\times1, 128 \\ 3\times3, 128 \\ 1\times1, 512 \end{array}\right]\times4$
[1×1, 256; 3×3, 256; 1×1, 1024]×6 [1×1, 512; 3×3, 512; 1×1, 2048]×3"""


def rewritten(text: str) -> str:
    """Return a text with every form of it as it is said to be written."""
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 224, 224))
    for found in reversed(caught.value.diagnostics):
        assert found.code == "E0121", found
        assert found.span is not None
        here = re.search(r" is written `(.*)`", found.message)
        assert here or found.message.endswith(" is left away here"), found
        text = text[: found.span.start] + (here[1] if here else "") + text[found.span.end :]
    return text


def test_the_column_of_vgg_is_vgg() -> None:
    text = rewritten(VGG)
    assert " ".join(text.split()).startswith("Conv 64 Max 2 Conv 128 Max 2 Conv 256 Conv 256 Max 2")
    ours = netdsl.parse(f"norm none {text}", input=(3, 224, 224))
    assert ours.params == netdsl.load("vgg11").params == 132_863_336


@pytest.mark.parametrize(("cells", "name"), [(RESNET34, "resnet34"), (RESNET50, "resnet50")])
def test_a_column_of_he_et_al_is_the_resnet(cells: str, name: str) -> None:
    text = rewritten(HE.format(cells))
    for block in re.findall(r"\((?:BB|Bott) \d+\)", text)[1:]:
        text = text.replace(block, f"{block[:-1]} s=[2, 1])")
    ours = netdsl.parse(f"shortcut project {text}", input=(3, 224, 224))
    theirs = netdsl.load(name)
    assert (ours.params, ours.macs) == (theirs.params, theirs.macs)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("def Unit(c, stride=2) { Conv c } Unit 3 Foo 4", ["W0502", "E0201"]),
        ("def Unit(c, stride) { Conv c s=stride } Unit 64 0 Foo 3", ["E0206", "E0201"]),
        ("pool = 9  Conv 3 Max pool Foo 3", ["E0301", "E0201"]),
        ("pool = 9  Conv 3 Max pool Conv3-64", ["E0301", "E0121"]),
        ("stride = 0  Conv 3 s=stride conv3-64", ["E0206", "E0121"]),
        ("def Linear(c) { Conv c } Linear(3)", ["E0117"]),
    ],
)
def test_names_of_a_text_are_no_forms(text: str, codes: list[str]) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 8, 8))
    assert [found.code for found in caught.value.diagnostics] == codes


@pytest.mark.parametrize(
    "text",
    [
        "3x3, 64" + " " * 900_000 + "?",
        "[3x3, 64" + " " * 900_000 + "?",
        "[3x3, 64 ;" + " " * 900_000 + "?",
        "[3x3" + " " * 900_000 + "?",
        "max pool" + " " * 900_000 + "?",
        "stride" + " " * 900_000 + "?",
        "&" * 100_000,
        "conv3-64 " * 30_000,
        "ReLU( " * 30_000,
        "[3x3, 64 " * 20_000,
        "Conv 3 " * 50_000 + "soft-max",
    ],
    ids=lambda text: text[:12],
)
def test_long_texts_with_forms_end_soon(text: str) -> None:
    with pytest.raises(netdsl.NetDSLError) as caught:
        netdsl.parse(text, input=(3, 8, 8))
    assert 0 < len(caught.value.diagnostics) <= 40


FORMS = [
    "conv3-64", "7×7, 64, stride 2", "[3×3, 8; 3×3, 8]×2", r"\times", "maxpool", "3x3 max pool",
    "FC-10", "1000-d fc", "soft-max", "Conv 8 7x7 /2", "conv1: Conv 8", "Conv2d(3, 8, 3)",
    "Linear(8, 9)", "$", "# conv3-8\n", '"conv3-8"', "Conv 8", "(Conv 8)x2", "BB 8 s2", "k=[3x3, 5]",
    "def Dense(k) { Conv k }", "Dense(3)", "[", "]", "(", ")", "&", "\\",
    "[1×1, 0; 3×3, 0; 1×1, 0]×2", f"[3×3, {'9' * 5000}]", f"conv3-{'9' * 5000}", "Conv2d()", "Linear()",
    "MaxPool2d()", f"Conv2d(3, {'9' * 5000}, 3)", "MaxPool2d(0, 0, 0)", "GroupNorm(0)", "Dense(k)",
]  # fmt: skip


@given(st.lists(st.sampled_from(FORMS), max_size=12).map(" ".join))
def test_forms_among_anything_are_told_once_and_in_order(text: str) -> None:
    try:
        netdsl.parse(text, input=(3, 64, 64))
    except netdsl.NetDSLError as error:
        spans = [found.span for found in error.diagnostics if found.code == "E0121"]
        ends = [(span.start, span.end) for span in spans if span]
        assert len(ends) == len(spans)
        assert all(a[1] <= b[0] for a, b in pairwise(ends))
        assert all(0 <= start < end <= len(text) for start, end in ends)
