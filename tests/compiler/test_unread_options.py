"""Options and settings that change nothing beside others are told, unless others may be chosen."""

from pathlib import Path
from typing import Any

import pytest

import netdsl
from netdsl.checking import check
from netdsl.lower import Loader, Overrides
from netdsl.syntax import parse

SHAPE = (3, 8, 8)


QUIET = """
scale deep(shortcut=project) shortcut_kernel 3 BB 8
scale deep(shortcut=project) BB 8 shortcut_kernel=3
scale grouped(norm=group) default Norm(groups=4) Norm groups=4 Conv 8
shortcut project shortcut_kernel 3 BB 8
shortcut project shortcut_kernel 3 BB 3
shortcut pad BB 8 BB 8 shortcut=project shortcut_kernel=3
residual off shortcut_kernel 3 shortcut pad BB 3
default BB(shortcut_kernel=3) BB 8 BB 8 shortcut=project
(BB 8 shortcut=[project,pad] shortcut_kernel=3)x2
(Norm kind=[group,batch] groups=1)x2 Conv 8
(Res shortcut=[project,pad] shortcut_kernel=3 (Conv 8 s=[1,2]))x2
def B(c, sc=pad, k=1) { BB c shortcut=sc shortcut_kernel=k } B 8 sc=project k=3 B 8
def A(k) { Norm kind=k groups=1 } A group A batch Conv 8
def N(k, g=1) { Conv 8 norm=none Norm kind=k groups=g Act } N batch N group g=2
sc = pad  scale d(sc=project)  BB 8 shortcut=sc shortcut_kernel=3
sc = pad  shortcut sc  shortcut_kernel 3  BB 8
sc = pad  default BB(shortcut=sc shortcut_kernel=3)  BB 8
kk = batch  scale s(kk=group)  norm kk  default Norm(groups=4)  Conv 4
kk = batch  norm kk  default Norm(groups=4)  Norm groups=4  Conv 4
n = 0  scale s(n=2)  shortcut project  shortcut_kernel 3  Conv 8 (BB 16)x n
n = 0  shortcut_kernel 3  Conv 8 (BB 16)x n
n = 0  scale s(n=2)  shortcut project  Conv 8 (Res( Conv 8 ))x n
kk = none  norm kk  Norm Conv 8
"""


@pytest.mark.parametrize("text", QUIET.strip().splitlines())
def test_what_another_choice_reads_is_left_in_peace(text: str) -> None:
    assert netdsl.parse(text, input=SHAPE).warnings == ()
    without_input = check(parse(text, "net.arch"), Overrides(), Loader())
    assert [finding.code for finding in without_input] == ["N0506"]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("BB 8 shortcut_kernel=3", {"shortcut": "project"}),
        ("BB 8 shortcut_kernel=3", {"shortcut": "pad"}),
        ("sc = project  BB 8 shortcut=sc shortcut_kernel=3", {"sc": "pad"}),
        ("sc = project  shortcut sc  shortcut_kernel 3  BB 8", {"sc": "pad"}),
        ("kk = group  norm kk  Norm groups=4 Conv 4", {"kk": "batch"}),
        ("kk = group scale s(kk=batch) norm kk default Norm(groups=4) Conv 4", {"scale": "s"}),
        ("default BB(shortcut=project shortcut_kernel=3) BB 8", {"BB.shortcut": "pad"}),
        ("SE r=1", {"SE.c": 2}),
        ("shortcut project shortcut_kernel 3 scale w(width=2) Conv 16! BB 8", {"scale": "w"}),
        ("k = 2 shortcut project shortcut_kernel 3 Conv 8 (BB 8 s=[1,2])x k", {"k": 1}),
        ("scale half(depth=0.5) (Conv [8,16])x2", {"scale": "half"}),
        ("r = 0.5 drop_path r BB 8", {"drop_path": 0.2}),
        ("w = 4 k = w*2 Conv k", {"k": 3}),
        ("w = 4 k = w*2 scale s(k=3) Conv k", {"scale": "s"}),
    ],
)
def test_a_choice_from_outside_means_the_file_for_both(
    text: str, chosen: dict[str, object]
) -> None:
    assert netdsl.parse(text, input=SHAPE, **chosen).warnings == ()


def test_a_parameter_from_outside_that_only_another_one_replaces_is_told() -> None:
    (warning,) = netdsl.parse("w = 4 k = w*2 Conv k", input=SHAPE, k=3, w=5).warnings
    told = ("the parameter `w` is never used", "given as `w=5`")
    assert (warning.message, warning.mark) == told


def test_a_file_of_definitions_is_not_judged_by_one_network(tmp_path: Path) -> None:
    blocks = "def C(c, sc=project) { BB c s2 shortcut=sc shortcut_kernel=3 }\n"
    (tmp_path / "blocks.arch").write_text(
        blocks + "def D(c) { BB c shortcut=pad shortcut_kernel=3 }\n"
    )
    (tmp_path / "net.arch").write_text('use "blocks.arch"  C 16  C 32 sc=pad  D 32')
    assert netdsl.load(tmp_path / "net.arch", input=SHAPE).warnings == ()


def test_a_setting_from_outside_that_changes_nothing_is_told_without_a_place() -> None:
    (warning,) = netdsl.parse("BB 8", input=SHAPE, shortcut_kernel=3).warnings
    told = "the setting `shortcut_kernel` is never used: no shortcut is a projection"
    assert (warning.code, warning.message, warning.span) == ("W0502", told, None)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("drop_path 0.2 Conv 8", {"drop_path": 0.5}),
        ("drop_path 0.2 BB 8", {"drop_path": 0.5, "plain": True}),
        ("drop_path 0.2 scale s(drop_path=0.5) Conv 8", {"scale": "s"}),
        ("input 3x8x8 Conv 8", {"input": (8, 8, 3)}),
    ],
)
def test_what_is_said_in_place_of_the_file_has_no_place(text: str, chosen: dict[str, Any]) -> None:
    (finding,) = netdsl.parse(text, **{"input": SHAPE, **chosen}).warnings
    assert (finding.code, finding.span) in [("W0502", None), ("N0504", None), ("W0510", None)]


def test_a_plain_twin_is_not_told_of_projections() -> None:
    assert netdsl.parse("BB 8", input=SHAPE, plain=True, shortcut_kernel=3).warnings == ()
