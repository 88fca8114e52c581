"""Recipes: TOML read, checked, varied, shown; choices from text; modules that do not learn."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path

import pytest
import torch
from torch import nn

from netdsl.train import ExitCode, TrainError, toml
from netdsl.train.choices import parse_choices, read_choices
from netdsl.train.freezing import freeze, training_mode
from netdsl.train.recipe import Stage, read_recipe, recipes
from netdsl.train.recipe_text import show_recipe
from netdsl.train.resolve import Choices

BASE = """
about = "a base"
example = "netdsl train net1 --recipe base.toml"
[network]
init = "xavier"
"BB.dropout" = 0.2
[train]
iterations = 400  # few
lr = 1
schedule = "step"
unit = "iterations"  # not "epochs" # of course
milestones = [200, 300]
augment = ["flip", "pad_crop padding=2"]
"""
VARIATION = """
about = "a variation"
base = "base.toml"
weights = "torchvision:resnet18"
[network]
drop_path = 0.5
init = "he"
[train]
epochs = 3
lr = 0.5  # lower
[[stage]]
name = "head"
network = { n = 2 }
train = { epochs = 1 }
freeze = ["body"]
[[stage]]
name = "all"
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.toml"
    path.write_text(BASE)
    return path


@pytest.fixture
def variation(base: Path) -> Path:
    path = base.with_name("variation.toml")
    path.write_text(VARIATION)
    return path


def test_a_recipe_holds_what_its_file_says(base: Path) -> None:
    recipe = read_recipe(base)
    assert (recipe.name, recipe.about, recipe.base, recipe.weights) == ("base", "a base", "", "")
    assert recipe.network == {"init": "xavier", "BB.dropout": 0.2}
    assert recipe.train == {
        "iterations": 400, "lr": 1.0, "schedule": "step", "unit": "iterations",
        "milestones": (200.0, 300.0), "augment": ("flip", "pad_crop padding=2"),
    }  # fmt: skip
    assert recipe.stages == ()


def test_a_variation_holds_what_its_base_says_and_its_own_on_top(variation: Path) -> None:
    recipe, base = read_recipe(variation), read_recipe(variation.with_name("base.toml"))
    below = {key: value for key, value in base.train.items() if key != "iterations"}
    assert (recipe.about, recipe.base) == ("a variation", "base.toml")
    assert recipe.example == base.example
    assert recipe.weights == "torchvision:resnet18"
    assert recipe.network == {"init": "he", "BB.dropout": 0.2, "drop_path": 0.5}
    assert recipe.train == {**below, "epochs": 3, "lr": 0.5}


def test_stages_hold_what_the_recipe_says_and_their_own_on_top(variation: Path) -> None:
    recipe = read_recipe(variation)
    train: Choices = {**recipe.train, "epochs": 1}
    assert recipe.stages == (
        Stage("head", {**recipe.network, "n": 2}, train, ("body",)),
        Stage("all", recipe.network, recipe.train, ()),
    )


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("[train]\nlr = ", "is not TOML: Invalid value (at end of document)", None),
        ("[train]\nepoch = 3", ", [train]: 'epoch' is not a setting", "did you mean epochs?"),
        ("[train]\nlearning_rate = 3", ", [train]: 'learning_rate' is not a setting",
         "did you mean lr?"),
        ("[train]\nlearning_rat = 3", ", [train]: 'learning_rat' is not a setting",
         "did you mean lr?"),
        ("[train]\naugment = ['flip', 'flop']", ", [train]: 'flop' is not a transform",
         "did you mean flip?"),
        ("[[stage]]\ntrain = { augment = ['pad_crop pad=4'] }",
         ", [[stage]] 1, [train]: pad_crop has no option 'pad=4'", "did you mean padding?"),
        ("[train]\noptimizer = 'sgd'", ", [train]: 'optimizer' is not a setting",
         "did you mean optimiser?"),
        ("[train]\nepochs = '3'", ", [train]: epochs is '3', but must be a whole number", None),
        ("[train]\nepochs = 2.5", ", [train]: epochs is 2.5, but must be a whole number", None),
        ("[train]\nlr = true", ", [train]: lr is True, but must be a number", None),
        ("[train]\nnesterov = 1", ", [train]: nesterov is 1, but must be true or false", None),
        ("[train]\naugment = 'flip'", ", [train]: augment is 'flip', but must be a list of texts",
         None),
        ("[train]\nmilestones = ['5']",
         ", [train]: milestones is ['5'], but must be a list of numbers", None),
        ("[train]\nepochs = 0", ", [train]: epochs is 0, but at least 1 is needed", None),
        ("[train]\niterations = 0", ", [train]: iterations is 0, but at least 1 is needed", None),
        ("[[stage]]\ntrain = { unit = 'epoch' }",
         ", [[stage]] 1, [train]: unit is epoch, not one of epochs, iterations", "did you mean epochs?"),
        ("[training]\nlr = 1", ": 'training' is not a key of a recipe", "did you mean train?"),
        ("lr = 1", ": 'lr' is not a key of a recipe", "it belongs below [train]"),
        ("[[stage]]\nlr = 1e-1", ", [[stage]] 1: 'lr' is not a key of a recipe",
         "of this stage alone it is written train = { lr = 0.1 }"),
        ("weights = ''", ": weights is empty", "leave it out"),
        ("stage = []", ": stage is empty", "leave it out"),
        ("[network]\nBB.dropout = 0.1",
         ", [network]: BB is {'dropout': 0.1}, but must be a number, a text or a truth",
         'a key with a dot stands in quotes: "BB.dropout" = 0.1'),
        ("about = 3", ": about is 3, but must be a text", None),
        ("network = 3", ": network is 3, but must be a table", None),
        ("[network]\nn = [1]", ", [network]: n is [1], but must be a number, a text or a truth",
         None),
        ("[[stage]]\nfrozen = ['a']", ", [[stage]] 1: 'frozen' is not a key of a recipe",
         "did you mean freeze?"),
        ("[[stage]]\ntrain = { epoch = 1 }", ", [[stage]] 1, [train]: 'epoch' is not a setting",
         "did you mean epochs?"),
        ("[[stage]]\nfreeze = [1]", ", [[stage]] 1: freeze is [1], but must be a list of texts",
         None),
        ("stage = [1]", ", [[stage]] 1: 1 is no table", None),
        ("base = 'modrn'", ", base: no recipe is called 'modrn'", "did you mean modern?"),
        ("base = 'own.toml'", ": own is a variation of itself", None),
        ("base = 'below/../own.toml'", ": own is a variation of itself", None),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_recipe_is_said(
    text: str, message: str, help: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    (tmp_path / "below").mkdir()
    with pytest.raises(TrainError) as caught:
        read_recipe(path)
    error = caught.value
    assert str(error) in (message, f"{path}{message}", f"{path} {message}")
    assert (error.help, error.exit_code) == (help, ExitCode.USAGE)


def test_all_that_is_wrong_with_the_settings_of_a_recipe_is_said(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[train]\nepochs = 0\nlr = -1\nbatch_sze = 3\nclip = 'x'\n")
    with pytest.raises(TrainError) as caught:
        read_recipe(path)
    assert str(caught.value) == (
        f"{path}, [train]: epochs is 0, but at least 1 is needed\n"
        f"  {path}, [train]: lr is -1, but must be above 0\n"
        f"  {path}, [train]: 'batch_sze' is not a setting; did you mean batch_size?\n"
        f"  {path}, [train]: clip is 'x', but must be a number"
    )
    assert (caught.value.help, caught.value.exit_code) == (None, ExitCode.USAGE)


def test_a_recipe_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainError) as caught:
        read_recipe("quik")
    assert (str(caught.value), caught.value.help) == (
        "no recipe is called 'quik'", "did you mean quick?"
    )  # fmt: skip
    with pytest.raises(TrainError, match="No such file") as caught:
        read_recipe(tmp_path / "none.toml")
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("name", [*recipes(), "variation.toml"])
def test_a_recipe_that_is_shown_is_the_same_recipe(
    name: str, variation: Path, tmp_path: Path
) -> None:
    place = name if name in recipes() else variation
    shown = tmp_path / "shown.toml"
    shown.write_text(show_recipe(place))
    recipe, again = read_recipe(place), read_recipe(shown)
    parts = ("about", "example", "weights", "network", "train", "stages")
    assert [getattr(recipe, p) for p in parts] == [getattr(again, p) for p in parts]


def test_a_recipe_with_any_characters_is_shown_as_one(tmp_path: Path) -> None:
    about = 'a "quoted" \x7f, \\ and ü'
    path = tmp_path / "odd.toml"
    path.write_text(f"about = {toml.value(about)}\n[network]\n{toml.key('BB.dropout')} = 0.1\n")
    shown = tmp_path / "shown.toml"
    shown.write_text(show_recipe(path))
    assert read_recipe(shown).about == about


def test_a_shown_recipe_has_the_comments_of_its_files_and_every_other_key(variation: Path) -> None:
    lines = show_recipe(variation).splitlines()
    unit = next(line for line in lines if line.startswith('unit = "iterations" '))
    assert unit.endswith('  # not "epochs" # of course')
    assert any(line.startswith("lr = 0.5 ") and line.endswith("# lower") for line in lines)
    assert any(line.startswith("epochs = 3 ") and "every image" in line for line in lines)
    assert any(line.startswith("# momentum = 0.9 ") for line in lines)
    left = [line.removeprefix("# ") for line in lines if line.startswith("# ") and " = " in line]
    whole = tomllib.loads("\n".join(left))
    assert any(line.startswith("# compile: where it pays ") for line in lines)
    assert set(whole) >= {"gamma", "threads", "patience"}


def test_texts_choose_settings_of_every_kind() -> None:
    chosen = parse_choices(
        ("epochs=3", "lr=1e-2", "nesterov=off", "exact=true", "optimiser=adam", "average=0",
         "milestones=30, 60.5", "augment=flip, heavy k=2")
    )  # fmt: skip
    assert chosen == {
        "epochs": 3, "lr": 0.01, "nesterov": False, "exact": True, "optimiser": "adam",
        "average": 0.0, "milestones": (30.0, 60.5), "augment": ("flip", "heavy k=2"),
    }  # fmt: skip
    assert parse_choices(("augment=none", "milestones=")) == {"augment": (), "milestones": ()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr", "'lr' is not of the form KEY=VALUE"),
        ("lr=fast", "lr is 'fast', but must be a number"),
        ("epochs=2.5", "epochs is 2.5, but must be a whole number"),
        ("exact=maybe", "exact is 'maybe', but must be true or false"),
        ("milestones=a,3", "milestones is ['a', 3], but must be a list of numbers"),
        ("epcohs=3", "'epcohs' is not a setting"),
        ("epochs=1_0", "epochs is '1_0', but must be a whole number"),
        ("epochs=١٠", "epochs is '١٠', but must be a whole number"),
    ],
)
def test_texts_that_choose_nothing_are_refused(text: str, message: str) -> None:
    with pytest.raises(TrainError) as caught:
        parse_choices((text,))
    assert (str(caught.value), caught.value.exit_code) == (message, ExitCode.USAGE)


@pytest.mark.parametrize("texts", [("lr=0.1", "lr=0.2"), ("lr=0.1", "seed=1", " lr =0.1")])
def test_a_text_that_chooses_a_second_time_is_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(TrainError) as caught:
        parse_choices(texts)
    assert (str(caught.value), caught.value.help, caught.value.exit_code) == (
        "lr is given twice", "leave one of them out", ExitCode.USAGE,
    )  # fmt: skip


def test_nothing_is_chosen_by_an_empty_table() -> None:
    assert read_choices({}) == {}


class Parts(nn.Module):
    """A body of two parts and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.stem_norm = nn.BatchNorm2d(4)
        self.blocks = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU())
        self.head = nn.Linear(4, 2)


def test_the_body_is_all_but_the_last_layer_with_weights() -> None:
    model = Parts()
    frozen = freeze(model, ("body",))
    assert frozen == (
        "stem.weight", "stem.bias", "stem_norm.weight", "stem_norm.bias", "blocks.0.weight",
        "blocks.0.bias",
    )  # fmt: skip
    learning = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert learning == ["head.weight", "head.bias"]


def test_a_name_stands_for_a_module_and_all_inside_it_and_nothing_else() -> None:
    model = Parts()
    assert freeze(model, ("stem", "blocks")) == (
        "stem.weight", "stem.bias", "blocks.0.weight", "blocks.0.bias"
    )  # fmt: skip
    assert freeze(model, ()) == ()
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(TrainError) as caught:
        freeze(Parts(), ("block",))
    assert str(caught.value) == "the network has no module 'block'"
    assert caught.value.help == "did you mean blocks?"


@pytest.mark.parametrize(
    ("name", "fact", "help"),
    [
        ("pool", "pool cannot be frozen: it has neither weights nor running means", "leave it out"),
        ("", "the network has no module ''", "modules: norm, pool, fc, body"),
    ],
)
def test_what_has_nothing_to_freeze_is_refused(name: str, fact: str, help: str) -> None:
    model = nn.Sequential()
    model.norm, model.pool = nn.BatchNorm2d(3, affine=False), nn.AvgPool2d(2)
    model.fc = nn.Linear(3, 2)
    with pytest.raises(TrainError) as caught:
        freeze(model, ("norm", name))
    assert (str(caught.value), caught.value.help) == (fact, help)
    assert caught.value.exit_code == ExitCode.USAGE
    assert freeze(model, ("norm",)) == ()


@pytest.mark.parametrize(
    ("norm", "shape"),
    [
        (nn.BatchNorm3d(3), (4, 3, 2, 2, 2)),
        (nn.InstanceNorm1d(3, affine=True, track_running_stats=True), (4, 3, 5)),
        (nn.InstanceNorm2d(3, track_running_stats=True), (4, 3, 5, 5)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_norm_with_running_means_keeps_them_where_it_is_frozen(
    norm: nn.Module, shape: tuple[int, ...]
) -> None:
    model = nn.Sequential(norm, nn.Flatten(), nn.Linear(3, 2))
    for name in ("0", "body"):
        freeze(model, (name,))
        training_mode(model)
        model[0](torch.randn(shape) + 5)
        assert not model[0].running_mean.any()
    freeze(model, ())
    training_mode(model)
    model[0](torch.randn(shape) + 5)
    assert model[0].running_mean.all()


def test_a_norm_without_weights_and_means_has_nothing_to_freeze() -> None:
    model = nn.Sequential(nn.InstanceNorm2d(3), nn.Flatten(), nn.Linear(3, 2))
    with pytest.raises(TrainError) as caught:
        freeze(model, ("0",))
    assert str(caught.value) == "0 cannot be frozen: it has neither weights nor running means"


def test_a_network_of_which_nothing_would_learn_is_refused_and_left_as_it_is() -> None:
    model = Parts()
    with pytest.raises(TrainError) as caught:
        freeze(model, ("body", "head"))
    assert str(caught.value) == "body, head: all weights of the network are frozen, none learns"
    assert (caught.value.help, caught.value.exit_code) == (
        "leave one of them out", ExitCode.USAGE,
    )  # fmt: skip
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_module_that_is_called_body_is_meant_where_there_is_one() -> None:
    model = nn.Sequential()
    model.body, model.neck, model.head = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2)
    assert freeze(model, ("body",)) == ("body.weight", "body.bias")


def test_norms_go_on_learning_means_unless_they_are_frozen_with_or_without_weights() -> None:
    frozen = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3, affine=False))
    model = nn.Sequential(frozen, nn.BatchNorm2d(3, affine=False), nn.Conv2d(3, 2, 1))
    freeze(model, ("0",))
    for network in (model, copy.deepcopy(model)):
        training_mode(network)
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        assert [norm.training for norm in norms] == [False, False, True]
    freeze(model, ("body",))
    training_mode(model)
    assert not model[1].training
    freeze(model, ())
    training_mode(model)
    assert all(module.training for module in model.modules())


def test_norms_whose_weights_somebody_froze_keep_their_means() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3))
    model[0].requires_grad_(False)
    training_mode(model)
    assert [norm.training for norm in model] == [False, True]


def test_recipes_that_are_variations_of_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('base = "other.toml"\n')
    (tmp_path / "other.toml").write_text('base = "one.toml"\n')
    with pytest.raises(TrainError, match=r": one is a variation of itself$"):
        read_recipe(tmp_path / "one.toml")


def test_a_truth_is_no_number() -> None:
    with pytest.raises(TrainError, match=r"^epochs is True, but must be a whole number$"):
        read_choices({"epochs": True})


def test_what_is_infinite_is_written_as_toml_has_it() -> None:
    text = toml.value({"a": float("inf"), "b": -float("inf")})
    assert text == "{ a = inf, b = -inf }"
    assert tomllib.loads(f"x = {text}")["x"] == {"a": float("inf"), "b": -float("inf")}
