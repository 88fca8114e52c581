"""The manual says what is true: its blocks run, its tables are those of the code."""

import importlib
import re
from pathlib import Path

import pytest

import netdsl
from netdsl.codes import CODES
from netdsl.ir import Settings
from netdsl.ops import arguments

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[str]:
    pattern = rf"^```{language}\n(.*?)^```$"
    return [b for page in PAGES for b in re.findall(pattern, page.read_text("utf-8"), re.S | re.M)]


@pytest.mark.parametrize("text", blocks("netdsl"))
def test_every_network_in_the_manual_builds(text: str) -> None:
    net = netdsl.parse(text)
    assert net.depth > 0
    assert [w.message for w in net.warnings if "flattens" not in w.message] == []


@pytest.mark.parametrize("text", blocks("python"))
def test_every_python_example_runs(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "architectures").symlink_to(ROOT / "architectures")
    exec(compile(text, "README", "exec"), {})


@pytest.mark.parametrize(
    "line", [c for b in blocks("console") for c in b.splitlines() if c[:1] == "$"]
)
def test_every_command_in_the_manual_is_one_that_exists(line: str) -> None:
    program, *arguments = line.rpartition(" | ")[2].removeprefix("$ ").split()
    if program != "netdsl":
        assert program in ("make", "pip", "git", "cd", "echo", "python3")
        return
    from click import Group

    from netdsl.cli.main import COMMANDS, LazyGroup, group

    command = LazyGroup.get_command(group, None, arguments[0])  # type: ignore[arg-type]
    assert arguments[0] in COMMANDS
    if isinstance(command, Group):
        command = command.commands[arguments[1]]
    options = {name for p in command.params for name in p.opts}  # type: ignore[union-attr]
    used = {a.split("=")[0] for a in arguments if a.startswith("-") and a != "-"}
    assert used <= options | {"--help"}


def test_the_generated_pages_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    for page, text in importlib.import_module("generate").pages().items():
        assert page.read_text("utf-8") == text, f"{page.name}: run `make docs`"


def test_every_code_has_a_meaning_and_is_used() -> None:
    used = {
        code
        for path in (ROOT / "netdsl").rglob("*.py")
        if path.name != "codes.py"
        for code in re.findall(r'"([EWN]0\d{3})"', path.read_text("utf-8"))
    }
    assert used == set(CODES)


def test_every_setting_stands_in_the_manual() -> None:
    text = (ROOT / "docs" / "language.md").read_text("utf-8")
    for name, argument in arguments(Settings).items():
        row, *_ = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert all(choice in row for choice in argument.choices)


def test_relative_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), (page.name, target)
