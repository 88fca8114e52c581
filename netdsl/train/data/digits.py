"""The bundled file of handwritten digits to a listing: 1,797 real images of 8×8."""

from __future__ import annotations

import gzip
import io
from importlib import resources

import numpy as np

from netdsl.train.data.dataset import Entry, Listing, Request
from netdsl.train.data.source import Arrays
from netdsl.train.data.split import hold_out

_HELD_OUT = 0.2
_SEED = 0  # of the held-out fifth: the same for every run, whatever its own seed


def open_digits(request: Request) -> Listing:
    """List the digits; they come with the package, so that their place does not matter."""
    packed = resources.files("netdsl.train.data").joinpath("digits.csv.gz").read_bytes()
    text = io.StringIO(gzip.decompress(packed).decode("ascii"))
    table = np.loadtxt(text, delimiter=",", dtype=np.int64)
    pixels = np.rint(table[:, :64] * 255 / 16).astype(np.uint8).reshape(-1, 8, 8, 1)
    labels = table[:, 64]
    return Listing(
        classes=tuple("0123456789"),
        labels=labels,
        held_out=hold_out(labels, _HELD_OUT, _SEED),
        images=Arrays(lambda positions: pixels[positions]),
    )


DIGITS = Entry(
    name="digits",
    shape=(1, 8, 8),
    classes=10,
    mean=(0.3055,),
    std=(0.3759,),
    augment=(),  # a shift by a pixel, which a digit of 8×8 hardly bears, lost 0.2 points
    defaults={"epochs": 30, "batch_size": 64, "lr": 0.1, "weight_decay": 2e-3},
    source="Optical Recognition of Handwritten Digits, Alpaydin & Kaynak 1998, UCI; CC BY 4.0",
    open=open_digits,
)
