"""What stands twice so that help is there at once, without torch, is the same in both places."""

from __future__ import annotations

import click

from netdsl.cli.images import HOLDOUT
from netdsl.cli.train import command as train
from netdsl.doctor.machine import COMPILERS
from netdsl.experiment.report.figures import CAPTIONS
from netdsl.experiment.wanted import KINDS
from netdsl.train import DATA_SETS, compiling
from netdsl.train.data import folder


def test_what_is_held_out() -> None:
    assert folder.HOLDOUT == HOLDOUT


def test_the_compilers_that_are_looked_for() -> None:
    assert compiling.COMPILERS == COMPILERS


def test_the_kinds_of_figures() -> None:
    assert sorted(KINDS) == sorted(CAPTIONS)


def test_the_help_names_every_data_set() -> None:
    (option,) = (one for one in train.params if one.name == "data")
    assert isinstance(option, click.Option)
    assert (option.help or "").startswith(f"{', '.join(sorted(DATA_SETS))}, or a folder")
