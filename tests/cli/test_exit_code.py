"""The code that a command ends with, of every kind of error, wherever it was met."""

import click
import pytest

import netdsl
from netdsl.cli.exit_code import exit_code_of
from netdsl.errors import NetDSLError
from netdsl.train import ExitCode, TrainError


def _of_source() -> NetDSLError:
    with pytest.raises(NetDSLError) as caught:
        netdsl.parse("Conv 64 Nothing")
    return caught.value


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("what nobody foresaw"), 1),
        (click.UsageError("no such option"), 2),
        (_of_source(), 2),
        (TrainError("no images"), 3),
        (TrainError("a full disk", exit_code=ExitCode.IO), 6),
        (OSError("a full disk"), 6),
        (click.Abort(), 130),
        (click.exceptions.Exit(143), 143),
    ],
    ids=lambda value: value if isinstance(value, int) else type(value).__name__,
)
def test_an_error_has_its_exit_code(error: Exception, code: int) -> None:
    assert exit_code_of(error) == code
