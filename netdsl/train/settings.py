"""Settings: every number that a training depends on, within its limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

from netdsl.amounts import counted
from netdsl.suggest import did_you_mean, meant
from netdsl.train import machine
from netdsl.train.errors import ExitCode, TrainError
from netdsl.train.kinds import KINDS, of_python, shown
from netdsl.train.transforms import make

OPTIMISERS = ("sgd", "adam", "adamw")
SCHEDULES = ("one_cycle", "step", "cosine", "constant")
UNITS = ("epochs", "iterations")
NORMALISATIONS = ("channel", "global", "pixel", "none")
PRECISIONS = ("bf16", "fp32")
_WORDS = {
    "optimiser": OPTIMISERS, "schedule": SCHEDULES, "unit": UNITS, "normalise": NORMALISATIONS,
    "device": machine.DEVICES, "precision": PRECISIONS,
}  # fmt: skip
_OPEN = ("nesterov", "warmup", "compile")  # None unless somebody chose them
BATCH = 128


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """All that decides how a network is trained: stored with the run, never guessed again.

    `ABOUT` says of each what it does. `nesterov` and `warmup` are None unless somebody chose them:
    what they are then follows from momentum and schedule, also where `replace` changes those. So is
    `compile` until a training has begun: whether it pays depends on the network. Settings are equal
    that train alike, whatever of them was chosen.
    """

    epochs: int = 30
    batch_size: int = BATCH
    optimiser: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool | None = None  # `settled_nesterov`
    weight_decay: float = 5e-4
    decay_norms: bool = True
    schedule: str = "one_cycle"
    warmup: float | None = None  # `settled_warmup`
    milestones: tuple[float, ...] = ()
    gamma: float = 0.1
    unit: str = "epochs"
    clip: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    average: float = 0.0
    patience: int = 0
    normalise: str = "channel"
    augment: tuple[str, ...] = ()
    sample: int = 2000
    seed: int = 0
    device: str = "cpu"
    precision: str = "fp32"
    channels_last: bool = True
    threads: int = 1
    sync_bn: bool = False
    exact: bool = False
    deterministic: bool = False
    compile: bool | None = None

    def __post_init__(self) -> None:
        given = {field.name: of_python(getattr(self, field.name)) for field in fields(self)}
        for name, value in given.items():
            object.__setattr__(self, name, value)
        left = {name for name in _OPEN if given[name] is None}
        chosen = {name: value for name, value in given.items() if name not in left}
        refuse_other_kinds(chosen)
        for name, value in chosen.items():
            refuse_out_of_range(name, value)
        for name, holds, rule in _rules(self):
            if not holds:
                fact = f"{name} is {shown(given[name])}, {rule}"
                raise TrainError(fact, None, ExitCode.USAGE)

    @property
    def settled_nesterov(self) -> bool:
        """Whether SGD looks ahead along its momentum: wherever it has some, unless given."""
        return self.momentum != 0 if self.nesterov is None else self.nesterov

    @property
    def settled_warmup(self) -> float:
        """How long the rate climbs: 0.3 of a cycle and nothing of other schedules, unless given."""
        usual = 0.3 if self.schedule == "one_cycle" else 0.0
        return usual if self.warmup is None else self.warmup

    def __eq__(self, other: object) -> bool:
        """Say whether others train alike."""
        return isinstance(other, Settings) and self._settled() == other._settled()

    def __hash__(self) -> int:
        """Return the same number for settings that train alike."""
        return hash(tuple(self._settled().values()))

    def record(self) -> dict[str, object]:
        """Return the settings as JSON can hold them, those settled that follow from others."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self._settled().items()
        }

    def _settled(self) -> dict[str, Any]:
        settled = {"nesterov": self.settled_nesterov, "warmup": self.settled_warmup}
        return asdict(self) | settled


TYPES: dict[str, Any] = {"iterations": int, **get_type_hints(Settings)}  # of all one may choose
ABOUT = {
    "epochs": "how often every image is seen",
    "iterations": "how many steps, in place of epochs, and rounded up to whole ones",
    "batch_size": "images a step",
    "optimiser": "sgd, adam or adamw",
    "lr": "the highest learning rate",
    "momentum": "of sgd; beta 1 of adam and adamw, whose beta 2 is 0.999",
    "nesterov": "sgd looks ahead along its momentum; false unless given where that is 0",
    "weight_decay": "a penalty in the gradient for sgd and adam, apart from it for adamw",
    "decay_norms": "weight decay holds for norms and biases too",
    "schedule": "one_cycle, step, cosine or constant",
    "warmup": "how long the learning rate rises: below 1 a fraction of the training, from 1 up a "
    "number of `unit`s; the default is 0 for every schedule but one_cycle",
    "milestones": "when a step schedule lowers the rate, in units",
    "gamma": "what a milestone multiplies the rate by",
    "unit": "what milestones and warmup count: epochs or iterations",
    "clip": "the largest norm of a gradient; 0 does not clip",
    "label_smoothing": "the part of a label that is spread over all classes",
    "mixup": "alpha of mixup, Zhang et al. 2018; 0 for none",
    "cutmix": "alpha of cutmix, Yun et al. 2019; 0 for none",
    "average": "decay of an average of weights and running statistics, to evaluate; 0 for none",
    "patience": "stop after so many epochs without a better validation accuracy (or an equal one "
    "at a lower loss); 0 never stops",
    "normalise": "by the mean of each channel, of all together (global), of each pixel, or none",
    "augment": "the transforms of training images, one after the other, as in `pad_crop padding=4`",
    "sample": "how many training images are evaluated after each epoch, in the same way as the "
    "validation images",
    "seed": "of initial weights, order, augmentation, dropout",
    "device": "cpu, cuda or mps",
    "precision": "bf16 or fp32",
    "channels_last": "the memory format of images and weights",
    "threads": "of a CPU",
    "sync_bn": "batch norm over the images of all processes together, on GPUs",
    "exact": "no fused kernels and no compilation: with precision=fp32 and channels_last=false, "
    "bit for bit what a plain PyTorch loop computes",
    "deterministic": "the same bits every time on a GPU too, or an error",
    "compile": "full batches go through the network as torch.compile makes it",
}


def restore(record: Mapping[str, object]) -> Settings:
    """Return the settings that `Settings.record` gave; a name that is not one is an error."""
    known = [field.name for field in fields(Settings)]
    if unknown := sorted(record.keys() - set(known)):
        raise TrainError(
            f"{unknown[0]!r} is not a setting",
            did_you_mean(unknown[0], known, "settings"),
            ExitCode.USAGE,
        )
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
    return Settings(**values)  # type: ignore[arg-type]


def refuse_other_kinds(values: Mapping[str, object]) -> None:
    """Raise where a setting, or `iterations`, is of another kind than it has to be."""
    for name, type_ in TYPES.items():
        if name in values:
            KINDS[type_].refuse_other(name, values[name])


def refuse_out_of_range(name: str, value: Any, where: str = "") -> None:
    """Raise where a setting, or `iterations`, is what it can be in no training.

    `where` is put before what is wrong.
    """
    for holds, rule in _RANGES.get(name, ()):
        if not holds(value):
            help = meant(value, _WORDS[name]) if name in _WORDS else None
            raise TrainError(f"{where}{name} is {shown(value)}, {rule}", help, ExitCode.USAGE)
    for text in value if name == "augment" else ():
        try:
            make(text)
        except TrainError as error:
            raise TrainError(f"{where}{error}", error.help, error.exit_code) from error


def _among(name: str) -> Rule:
    return lambda value: value in _WORDS[name], f"not one of {', '.join(_WORDS[name])}"


Rule = tuple[Callable[[Any], bool], str]
_ONE: Rule = (lambda n: n >= 1, "but at least 1 is needed")
_POSITIVE: Rule = (lambda x: 0 < x < math.inf, "but must be above 0")
_NO_LESS: Rule = (lambda x: 0 <= x < math.inf, "but must be 0 or more")
_PART: Rule = (lambda x: 0 <= x < 1, "but must be 0 or more and below 1")
_RANGES: Mapping[str, tuple[Rule, ...]] = {
    "epochs": (_ONE,),
    "iterations": (_ONE,),
    "batch_size": (
        (lambda n: n >= 2, "but batch norm needs at least 2 images"),
        (lambda n: n <= 10**9, "but at most 1,000,000,000 are possible"),
    ),
    "optimiser": (_among("optimiser"),),
    "lr": (_POSITIVE,),
    "momentum": (_PART,),
    "weight_decay": (_NO_LESS,),
    "schedule": (_among("schedule"),),
    "unit": (_among("unit"),),
    "warmup": (_NO_LESS,),
    "milestones": (
        (lambda all_: all(0 < m < math.inf for m in all_), "but must all be above 0"),
        (lambda all_: list(all_) == sorted(set(all_)), "but must ascend"),
    ),
    "gamma": (_POSITIVE,),
    "clip": (_NO_LESS,),
    "label_smoothing": (_PART,),
    "mixup": (_NO_LESS,),
    "cutmix": (_NO_LESS,),
    "average": (_PART,),
    "patience": (_NO_LESS,),
    "normalise": (_among("normalise"),),
    "sample": (_ONE,),
    "seed": ((lambda n: 0 <= n < 2**63, "but must be 0 or more and below 2^63"),),
    "device": (_among("device"),),
    "precision": (_among("precision"),),
    "threads": (_ONE, (lambda n: n <= 1024, "but at most 1,024 are possible")),
}


def _rules(s: Settings) -> tuple[tuple[str, bool, str], ...]:
    """Return what holds of several settings together: which is at fault, whether, the rule."""
    return (
        (
            "nesterov",
            not s.settled_nesterov or s.momentum > 0 or s.optimiser != "sgd",
            "but there is no momentum to look ahead along",
        ),
        (
            "warmup",
            s.settled_warmup < max(1, s.epochs) or s.unit != "epochs",
            f"but must be less than the {counted(s.epochs, 'epoch')} of the training",
        ),
        (
            "milestones",
            s.schedule != "step" or s.milestones != (),
            "but a step schedule needs some, as in milestones=30,60",
        ),
        ("sync_bn", not s.sync_bn or s.device == "cuda", f"but needs GPUs, not {s.device}"),
        ("compile", not (s.compile and s.exact), "but exact is what a plain loop computes"),
    )
