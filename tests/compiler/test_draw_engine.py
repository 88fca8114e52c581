"""The child process that draws: its fonts, its limits, and what is said when it cannot."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image

from netdsl.api import parse
from netdsl.backends.drawing import engine, fonts
from netdsl.backends.drawing.file import render
from netdsl.errors import NetDSLError, NetDSLWarning

ONE = 'digraph { layout=nop2; a [label=<<B>%s</B>> pos="0,0" fontname="DejaVu Sans" width=2] }'
BAD = 'digraph { layout=nop2; a [label=<<B>lost</TABLE>> pos="0,0"] }'


@pytest.fixture
def no_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which no font is installed."""
    empty = tmp_path / "empty.conf"
    empty.write_text("<fontconfig></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(empty))
    return tmp_path


@pytest.fixture
def broken_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which pygraphviz cannot be loaded."""
    package = tmp_path / "broken" / "pygraphviz"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('libgvc.so is missing')")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def raw_png(text: str, folder: Path) -> bytes:
    """What the engine makes with the fonts that are in the environment."""
    path = folder / "raw.dot"
    path.write_text(ONE % text)
    command = [sys.executable, "-P", str(engine.__file__), str(path), "png"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    return path.with_suffix(".png").read_bytes()


@pytest.mark.usefixtures("no_fonts")
def test_letters_are_letters_where_no_font_is_installed() -> None:
    assert render(ONE % "bdpq", "png", []) != render(ONE % "qpdb", "png", [])


def test_without_our_fonts_all_letters_would_be_the_same_box(no_fonts: Path) -> None:
    assert raw_png("bdpq", no_fonts) == raw_png("qpdb", no_fonts)


@pytest.mark.usefixtures("no_fonts")
def test_a_pdf_brings_its_font() -> None:
    assert b"DejaVuSans-Bold" in render(ONE % "text", "pdf", [])


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose fonts have two letters of East Asia."""
    program = tmp_path / "fc-list"
    program.write_text("#!/bin/sh\necho '20-7e 65e5 6720-6730'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")


@pytest.mark.usefixtures("listed")
def test_letters_that_no_font_has_are_told_of(tmp_path: Path) -> None:
    net = parse('name "日木語 é × 語 क" Conv 4', input=(3, 9, 8))
    with pytest.warns(NetDSLWarning) as caught:
        net.draw(tmp_path / "net.png")
    assert [w.filename for w in caught] == [__file__]
    assert [str(w.message) for w in caught] == [
        "no font here has 語, क, which are boxes in net.png: draw an .svg, or install a font that has them"
    ]


@pytest.mark.parametrize("script", ["echo nonsense", "sleep 60", "exit 3"])
def test_a_program_that_does_not_list_fonts_costs_no_drawing(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "fc-list"
    program.write_text(f"#!/bin/sh\nexec {script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr("netdsl.backends.drawing.fonts.SECONDS", 0.5)
    assert fonts.missing("木") == "木"


@pytest.mark.usefixtures("listed")
def test_letters_that_a_font_has_and_those_of_an_svg_are_not_told_of(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse('name "日木 é" Conv 4', input=(3, 9, 8)).draw(tmp_path / "net.pdf")
        parse('name "語" Conv 4', input=(3, 9, 8)).draw(tmp_path / "net.svg")


def test_without_fontconfig_no_other_font_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.warns(NetDSLWarning, match="no font here has 日, which is a box in net.pdf"):
        parse('name "日 é" Conv 4', input=(3, 9, 8)).draw(tmp_path / "net.pdf")


def test_a_pdf_is_as_large_as_an_svg_and_a_png_says_its_resolution(tmp_path: Path) -> None:
    net = parse("Conv 4 BB 4", input=(3, 9, 8))
    svg, pdf, png = (net.draw(tmp_path / f"net.{format}") for format in ("svg", "pdf", "png"))
    width, height = map(float, re.findall(r'(?:width|height)="(\d+)pt"', svg.read_text("utf-8")))
    box = re.search(rb"/MediaBox \[ *0 0 ([\d.]+) ([\d.]+)", pdf.read_bytes())
    assert box is not None
    assert [float(n) for n in box.groups()] == pytest.approx([width, height], abs=2)
    with Image.open(png) as image:
        assert image.info["dpi"] == pytest.approx((192, 192), abs=0.1)
        assert image.size == pytest.approx((width * 192 / 72, height * 192 / 72), abs=3)
        image.load()


def test_a_browser_without_the_font_finds_another() -> None:
    svg = parse("Conv 4", input=(3, 9, 8))._repr_svg_()
    assert 'font-family="DejaVu Sans,Verdana,sans-serif"' in svg


def test_no_dot_has_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert b">word<" in render(ONE % "word", "svg", ["word"])


def test_a_dot_on_the_path_serves_where_the_wheel_does_not(broken_wheel: Path) -> None:
    dot = broken_wheel / "dot"
    dot.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "for option in sys.argv[1:]:\n"
        "    if option[:2] == '-o':\n"
        "        open(option[2:], 'w').write('<text>word</text>')\n"
    )
    dot.chmod(0o755)
    assert render(ONE % "word", "svg", ["word"]) == b"<text>word</text>"


@pytest.mark.usefixtures("broken_wheel")
def test_a_machine_without_an_engine_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(NetDSLError) as caught:
        render(ONE % "word", "svg", [])
    assert str(caught.value) == (
        "error[E0601]: pygraphviz cannot be imported: libgvc.so is missing\n"
        "  = help: run `pip install --force-reinstall pygraphviz`"
    )
    monkeypatch.setattr("netdsl.backends.drawing.file.find_spec", lambda name: None)
    with pytest.raises(NetDSLError) as caught:
        render(ONE % "word", "svg", [])
    assert str(caught.value) == (
        "error[E0601]: Graphviz was not found\n  = help: run `pip install pygraphviz`"
    )


def test_a_label_that_is_not_drawn_is_an_error() -> None:
    with pytest.raises(NetDSLError) as caught:
        render(BAD, "svg", ["lost"])
    assert str(caught.value) == (
        "error[E0603]: the drawing lacks the label 'lost': Error: mismatched tag in line 1"
    )


def test_a_text_that_is_no_graph_is_an_error() -> None:
    with pytest.raises(NetDSLError) as caught:
        render("digraph {", "svg", [])
    assert str(caught.value).startswith("error[E0603]: Graphviz could not draw: ")


def test_a_drawing_that_takes_too_long_is_ended() -> None:
    source = parse("(Conv 4 Conv 5)x900", input=(3, 9, 8)).dot(expand=True)
    with pytest.raises(NetDSLError) as caught:
        render(source, "png", [], seconds=0.02)
    assert str(caught.value) == (
        "error[E0602]: the drawing was not finished within the limit of 0.02 seconds\n"
        "  = help: draw it folded, or write the .dot file"
    )


def test_a_network_of_thousands_of_nodes_is_drawn(tmp_path: Path) -> None:
    network = parse("(Conv 4 BB 4)x400", input=(3, 9, 8))
    assert len(network.checked) > 3000
    assert network.draw(tmp_path / "large.svg", expand=True).stat().st_size > 10**6


def test_a_png_that_nobody_could_read_is_refused(tmp_path: Path) -> None:
    network = parse("(Max 3 s1)x900", input=(3, 9, 8))
    with pytest.raises(NetDSLError) as caught:
        network.draw(tmp_path / "large.png", expand=True)
    assert str(caught.value) == (
        "error[E0607]: the drawing is too large for a PNG: it would be shrunk to 27%\n"
        "  = help: draw an .svg or .pdf"
    )
    assert list(tmp_path.iterdir()) == []
