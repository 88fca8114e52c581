"""The networks of the four reports, row by row, and the page with all that is in the reports."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import claims
import results

from netdsl import Network
from netdsl.cli.build import command
from netdsl.cli.network import open_source, read

FOLDER = Path(__file__).parent
PAGE = FOLDER / "reports.md"

TITLE = "# The four reports, regenerated"
ABOUT = """
    Every table and figure of the reports that netdsl was made for: the command that gives it,
    what the report says, what came out here and how far it was run; and every network in them,
    row by row, as one command. `make docs` writes this page: accuracies are read from the runs
    kept in `examples/`, and what was not run is empty; all else is that of the network which
    the command beside it builds. Commands are for the whole budget; accuracies here are those
    of `--budget cpu` behind them. Those of training are taken on a fixed sample of the training
    images, as they are, at the end; the gap is from them to validation ([how a report is
    written](report-of-an-experiment.md)). The plain twin of a network is the same network
    without its shortcuts. Where training images are cut to a number, those of validation are
    cut to the same part. CIFAR-10 was read from a copy in JPEG, whose pixels are not quite the
    report's. What was changed in a network stands in parentheses behind its name, and is what
    figures call it; where points of a figure would hide one another they stand a little apart.
    Losses in training are those of its steps, with their augmented images, dropout and weights
    that change. "A run took" is the mean of seeds that ran beside other work, and compares
    nothing. MACs are multiply-adds for one image; depth counts convolutions and fully connected
    layers on the longest path, and no projection."""
SOURCES = {
    "000": """a report on residual networks on Tiny ImageNet, written for Torch, whose text names no
        author. 001 says the same in other words, without table 1; of the percentages it has 49,
        13, 30, 6 and 14 alone. Figures are numbered as in 000: 001's 1 → 1, 2 → 3 and 4, 3 → 2,
        4 → 6 and 7.""",
    "002": """D. Gelda, J. Schiller, A. Shenoy, P. Srinivasan, Residual Neural Networks for Image
        Recognition, 2016.""",
    "003": "L. Sun, ResNet on Tiny ImageNet, Stanford University.",
    "004": """V. Keller, Development of an Improved ResNet-18 for CIFAR-100 Image Recognition,
        Queen's University.""",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: what the report calls it, what `netdsl build` is given, what it prints."""

    label: str
    arguments: str
    printed: str = ""

    @property
    def line(self) -> str:
        """The command as it is typed."""
        return f"netdsl build {self.arguments}"

    @property
    def file(self) -> str:
        """The path of the file that is read, from this folder."""
        path = open_source(self._options()["arch"]).path
        assert path is not None
        return Path(os.path.relpath(path, FOLDER)).as_posix()

    def network(self) -> Network:
        """Return what the command builds, its arguments read as the command line reads them."""
        return read(**self._options())

    def _options(self) -> dict[str, Any]:
        options = command.make_context("build", shlex.split(self.arguments)).params
        return {key: value for key, value in options.items() if key not in ("expand", "as_json")}


Columns = dict[str, Callable[[Row, Network], str]]

COLUMNS: Columns = {
    "row": lambda row, net: row.label,
    "printed": lambda row, net: row.printed,
    "command": lambda row, net: f"`{row.line}`",
    "file": lambda row, net: f"[{Path(row.file).name}]({row.file})",
    "parameters": lambda row, net: f"{net.params:,}",
    "MACs": lambda row, net: f"{net.macs:,}",
    "depth": lambda row, net: str(net.depth),
}
STOCHASTIC: Columns = {
    "blocks in training": lambda row, net: f"{net.expected_blocks:.2f} of {net.blocks}",
    "MACs in training": lambda row, net: f"{net.expected_macs:,}",
}
NUMBERS = ("parameters", "MACs", "depth", *STOCHASTIC)


@dataclass(frozen=True, slots=True)
class Table:
    """A table or figure of a report; `note` says what differs from it and what is ours.

    `text` holds a row a line: its label, the arguments of the command, what is printed.
    """

    report: str
    title: str
    note: str
    text: str

    @property
    def rows(self) -> list[Row]:
        """The rows of the table."""
        lines = self.text.strip().splitlines()
        return [Row(*(cell.strip() for cell in line.split("|"))) for line in lines]

    def __str__(self) -> str:
        """The table in Markdown, with the columns that have something to say."""
        rows = [(row, row.network()) for row in self.rows]
        columns = dict(COLUMNS)
        if not any(row.printed for row, _ in rows):
            del columns["printed"]
        if any(net.expected_blocks < net.blocks for _, net in rows):
            columns |= STOCHASTIC
        lines = [list(columns), ["---:" if name in NUMBERS else "---" for name in columns]]
        lines += [[cell(row, net) for cell in columns.values()] for row, net in rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"{_filled(self.note)}\n\n{table}"


REPORT_000 = "Reports 000 and 001: ResNets on Tiny ImageNet"
REPORT_002 = "Report 002: ResNets on CIFAR-10"
REPORT_003 = "Report 003: ResNets on Tiny ImageNet, stochastic depth"
REPORT_004 = "Report 004: ResNet-18 on CIFAR-100"

TABLES = (
    Table(
        REPORT_000, "Table 1", """
        The report prints 21 and 15 layers for Net 4 and Net 5, and columns that hold 19 and 13.
        The twin of Net 1 keeps the dropout of its blocks, which the column of Net 6 does not
        print.""", """
        Net 1 | net1 | 15 layers
        Net 2 | net2 | 12 layers
        Net 3 | net3 | 17 layers
        Net 4 | net4 | 21 layers
        Net 5 | net5 | 15 layers
        Net 6 | net6 | 15 layers
        Net 6, as the twin of Net 1 | net1 --plain | 15 layers""",
    ),
    Table(
        REPORT_000, "Figures 6 and 7: shallow networks on CIFAR-10", """
        The report gives their depth alone; the widths are ours. Net 1 stands beside them for its
        depth.""", """
        7 layers, ResNet | cifar-7 | 7 layers
        7 layers, ConvNet | cifar-7 --plain | 7 layers
        9 layers, ResNet | cifar-9 | 9 layers
        9 layers, ConvNet | cifar-9 --plain | 9 layers
        Net 1 | net1 --input 3x32x32 --classes 10
        Net 1, plain | net1 --input 3x32x32 --classes 10 --plain""",
    ),
    Table(
        REPORT_000, "Section 2: what stands after the addition", """
        The report prints no network for it. These are Net 1 with another end of its blocks. The
        first is Net 1 itself, but its layers have other names in another file, and so begin with
        other random weights: for that alone its runs differ from those of section 5 by up to
        2.2 points with the same seeds.""", """
        ReLU | net1_after_relu
        nothing in place of ReLU | net1_after_nothing
        dropout in place of ReLU | net1_after_dropout
        batch norm, ReLU | net1_after_norm
        3×3 convolution, batch norm, ReLU | net1_after_conv""",
    ),
    Table(
        REPORT_002, "Table I, figures 6 and 9", """
        Three groups of n blocks; the plain networks are twins of the others. Printed are layers
        and accuracies in per cent.""",
        "6n + 2 layers, n = 3 | resnet-cifar -D n=3 | 6n + 2 layers\n"
        + "\n".join(
            f"{n}, plain | resnet{n} --plain | {n} layers, {plain}\n"
            f"{n}, ResNet | resnet{n} | {n} layers, {residual}; He et al. {he}\n"
            f"{n}, ResResNet | resresnet{n} | {n} layers, {twice}"
            for n, plain, residual, he, twice in (
                (20, "90.61", "91.53", "91.25", "90.05"),
                (32, "88.22", "92.66", "92.49", "88.32"),
                (44, "87.49", "92.20", "92.83", "88.82"),
                (56, "85.81", "92.30", "93.03", "86.03"),
                (110, "9.98", "93.59", "93.57", "90.89"),
            )
        ),
    ),
    Table(
        REPORT_002, "Section III.B, figure 10: training by parts", """
        The report makes a part fit with average pooling and the appropriate number of
        channels, and says no more. Here FC takes the channels of the last group after global
        average pooling. The third group alone is given what it is given in the whole network,
        32×16×16, by a stem of 32 channels and average pooling; where the second group stands
        before it, the stem has its 16 channels.""", """
        top-down, first group | resnet32_top_down1
        top-down, first and second group | resnet32_top_down2
        top-down, all groups | resnet32_top_down3 | 32 layers
        bottom-up, third group | resnet32_bottom_up1
        bottom-up, second and third group | resnet32_bottom_up2
        bottom-up, all groups | resnet32_bottom_up3 | 32 layers""",
    ),
    Table(
        REPORT_003, "Figure 4: structures", """
        The figure is the table of He et al. 2015 for ImageNet, and the text names no other
        stem: the first five have its 7×7 convolution of stride 2 and its pooling. The report
        measured 2.45 s a step of 100 images on a K80, which is 0.07 TFLOP/s with that stem; that
        of networks for CIFAR, with 15.5 times the MACs, makes it 1.1, explains it better, and is
        there for comparison.""", """
        ResNet-18 | tiny_resnet18 | 18 layers
        ResNet-34 | tiny_resnet34 | 34 layers
        ResNet-50 | tiny_resnet50 | 50 layers
        ResNet-101 | tiny_resnet101 | 101 layers
        ResNet-152 | tiny_resnet152 | 152 layers
        ResNet-34, stem for CIFAR | tiny_resnet34 -D kernel=3 -D stride=1 -D pool=0""",
    ),
    Table(
        REPORT_003, "Table 1: speed", """
        One network; preprocessing and layout of images differ, and in the report the kernel of
        batch norm too.""", """
        before and after | tiny_resnet34""",
    ),
    Table(
        REPORT_003, "Table 2: stochastic depth", """
        Block l of L survives with p = 1 - (l/L)(1 - 0.5), and one that does not costs its
        shortcut alone; the 0.5 is that of Huang et al. With l = 1 … 16, as they count, the sum of
        p is 11.75 blocks, a depth of 2 + 2 × 11.75 = 25.5. The 12.3 blocks of the report come out
        where blocks are numbered from 0, which gives 12.25; 26.6 is 2 + 2 × 12.3.""", """
        no drop-out | tiny_resnet34 | 16 blocks, depth 34
        with drop-out | tiny_resnet34_sd | 12.3 blocks, depth 26.6""",
    ),
    Table(
        REPORT_003, "Figure 9: orders of a block", """
        In (e) the stem has neither norm nor ReLU, and a projection reads what the first
        convolution of its block reads, without a norm of its own. Behind the last block stands
        ReLU in (d), norm and ReLU in (e).""", """
        (a) original | tiny_resnet34_a
        (b) BN after addition | tiny_resnet34_b
        (c) ReLU before addition | tiny_resnet34_c
        (d) ReLU-only pre-activation | tiny_resnet34_d
        (e) full pre-activation | tiny_resnet34_e""",
    ),
    Table(
        REPORT_003, "Figures 5, 8 and 13: what was trained", """
        The vanilla model is not normalised; rate and optimiser are ours.""", """
        vanilla | tiny_resnet34
        improved | tiny_resnet34_sd
        final, ResNet-34 (e) | tiny_resnet34_e -D drop_path=0.5""",
    ),
    Table(
        REPORT_003, "Figure 10: what was trained", """
        The variants are those of the improved model, which has stochastic depth; rate and
        optimiser are ours.""", """
        ResNet-18 (c) | tiny_resnet18_c -D drop_path=0.5
        ResNet-18 (e) | tiny_resnet18_e -D drop_path=0.5
        ResNet-34 (c) | tiny_resnet34_c -D drop_path=0.5
        ResNet-34 (e) | tiny_resnet34_e -D drop_path=0.5
        ResNet-50 (c) | tiny_resnet50_c -D drop_path=0.5
        ResNet-50 (e) | tiny_resnet50_e -D drop_path=0.5""",
    ),
    Table(
        REPORT_004, "Table 1", """
        Printed are parameters, the time of 25 epochs on a GPU of Google's, and accuracy in per
        cent; the last two rows are cited there, without parameters and times. Rate, optimiser,
        clipping and initial weights are no part of a network. The 16 of WRN-16-8 counts three
        projections, which our depth does not, and no FC, which it does.""", """
        ResNet-18 LR = 0.1 | cifar100_resnet18 | 11,227,812, 15 min 8 s, 68.20
        ResNet-18 LR = 0.01 | cifar100_resnet18 | 11,227,812, 15 min 14 s, 66.35
        ResNet-18 LR = 0.001 | cifar100_resnet18 | 11,227,812, 15 min 7 s, 65.94
        ResNet-18 Wide residual blocks | cifar100_resnet18_wide | 44,695,716, 16 min 35 s, 68.17
        ResNet-18 3x3 conv res | cifar100_resnet18_3x3 | 12,604,068, 12 min 26 s, 67.88
        ResNet-18 Pre-activation | cifar100_resnet18_pre | 11,226,020, 15 min 19 s, 66.09
        ResNet-18 w/o BN | cifar100_resnet18_no_norm | 11,218,212, 15 min 7 s, 48.50
        ResNet-18 w/ Dropout | cifar100_resnet18_dropout | 11,227,812, 14 min 37 s, 59.98
        ResNet-18 Adam optimizer | cifar100_resnet18 | 11,227,812, 15 min 46 s, 68.25
        ResNet-18 Adam + Grad clip | cifar100_resnet18 | 11,227,812, 15 min 45 s, 66.47
        ResNet-18 Pre-trained | cifar100_resnet18 | 11,227,812, 12 min 31 s, 73.26
        New Wide ResNet-18 | cifar100_resnet18_new_wide | 50,266,276, 18 min 21 s, 72.51
        Wide Residual Network-16 (k = 8) | wrn16_8 | 79.57
        ResNet-110 | resnet110 --classes 100 | 74.58""",
    ),
)  # fmt: skip


def page() -> str:
    """Return the page as the code makes it now."""
    sections = ["The claims", *dict.fromkeys(table.report for table in TABLES)]
    parts = [
        TITLE,
        "\n".join(f"- [{title}](#{results.anchor(title)})" for title in sections),
        _filled(ABOUT),
        "\n".join(f"- {report}: {' '.join(text.split())}" for report, text in SOURCES.items()),
        claims.TITLE,
        _filled(claims.ABOUT),
        _filled(claims.counts(results.examples())),
        claims.table(results.examples()),
    ]
    for report in sections[1:]:
        networks = {table.title: str(table) for table in TABLES if table.report == report}
        parts += [f"## {report}", *results.sections(report, networks)]
    return "\n\n".join(parts) + "\n"


def _filled(text: str) -> str:
    """The text as one paragraph; words with a hyphen stay whole."""
    return textwrap.fill(" ".join(text.split()), 120, break_on_hyphens=False)
