"""Which commit of netdsl's source a run was made with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from netdsl.train.commit import commit

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git here")


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "netdsl").mkdir()
    (tmp_path / "netdsl" / "a.py").write_text("1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "a")
    return tmp_path


def test_a_working_tree_has_a_commit_and_says_that_it_was_changed(tree: Path) -> None:
    head = git(tree, "rev-parse", "--short=12", "HEAD")
    assert commit.__wrapped__(tree / "netdsl") == head
    (tree / "netdsl" / "a.py").write_text("2\n")
    assert commit.__wrapped__(tree / "netdsl") == f"{head}+"


def test_what_is_installed_has_not_the_commit_of_the_project_around_it(tree: Path) -> None:
    installed = tree / ".venv" / "lib" / "netdsl"
    installed.mkdir(parents=True)
    assert commit.__wrapped__(installed) is None
    assert commit.__wrapped__(tree / "missing") is None
