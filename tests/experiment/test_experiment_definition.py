"""An experiment's file to the rows of a comparison: what it may say, the grid, what rows are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdsl.experiment.budget import merged, read_layers
from netdsl.experiment.definition import Definition, read_definition, within
from netdsl.experiment.definition_text import write_definition
from netdsl.experiment.grid import expand
from netdsl.experiment.labels import display, group_all, label_all
from netdsl.experiment.line import train_line
from netdsl.experiment.variant import Variant
from netdsl.train import TrainError

Define = Callable[[str], Definition]
NETWORK = '[[network]]\narch = "net1"\n'


def failure(run: Callable[[], object]) -> tuple[str, str | None, int]:
    with pytest.raises(TrainError) as caught:
        run()
    return str(caught.value), caught.value.help, caught.value.exit_code


@pytest.mark.parametrize(
    ("text", "fact", "help"),
    [
        ("seed = 1\n" + NETWORK, "'seed' is not a key of an experiment", "did you mean seeds?"),
        ("", " names no network", 'as in [[network]] with arch = "net1"'),
        ("seeds = [0, 0]\n" + NETWORK, "seeds is [0, 0]", "each seed stands there once"),
        ("seeds = true\n" + NETWORK, "seeds is True, but must be a whole number or a list", None),
        ('name = "a/b"\n' + NETWORK, "name is 'a/b'", "letters, digits, - and _, 100 at most: it is the name of a folder"),
        ("[[network]]\nplain = true\n", "[[network]] 1: arch is missing", "name a file or a shipped architecture"),
        (NETWORK + "labels = 'x'\n", "[[network]] 1: 'labels' is not a key of a network", "did you mean label?"),
        (NETWORK + "plain = 'yes'\n", "[[network]] 1: plain is 'yes', but must be true, false or \"both\"", None),
        (NETWORK + "set = { learning_rate = 1 }\n", "[[network]] 1: set: 'learning_rate' is not a setting", "did you mean lr?"),
        ("set = { epochs = 0 }\n" + NETWORK, "set: epochs is 0, but at least 1 is needed", None),
        ("limit = 0\n" + NETWORK, "x.toml: limit is 0, but must be 2 or more", None),
        ("classes = 0\n" + NETWORK, "x.toml: classes is 0, but must be 2 or more", None),
        ("classes = 1\n" + NETWORK, "x.toml: classes is 1, but must be 2 or more", None),
        ("data = ''\n" + NETWORK, "x.toml: data is '', but must name a data set or a folder", None),
        (NETWORK + "holdout = 2\n", "[[network]] 1: holdout is 2, but must lie between 0 and 1", None),
        (NETWORK + "recipe = 'qick'\n", "[[network]] 1: recipe: no recipe is called 'qick'", "did you mean quick?"),
        (NETWORK + "[grid]\nlimit = [5, 1]\n", "[grid]: limit is 1, but must be 2 or more", None),
        (NETWORK + "label = ''\n", "[[network]] 1: label is empty", "leave it out"),
        (NETWORK + "params = { BB.dropout = 0.1 }\n", "[[network]] 1: params: BB is {'dropout': 0.1}, but must be a number, a text or a truth", 'a key with a dot stands in quotes: "BB.dropout" = 0.1'),
        (NETWORK + "set = { lr = 'high' }\n", "[[network]] 1: set: lr is 'high', but must be a number", None),
        (NETWORK + "set = { seed = 1 }\n", "[[network]] 1: set: seed is given", "say seeds = [0, 1, 2] for all networks"),
        (NETWORK + "paper = { value = 0.5 }\n", "[[network]] 1: paper: 'value' is not a key of a paper's numbers", "did you mean val?"),
        (NETWORK + "paper = { val = 49 }\n", "[[network]] 1: paper: val is 49, but must lie between 0 and 1", "49 % is 0.49"),
        (NETWORK + "paper = { plain = { vall = 0.4 } }\n", "[[network]] 1: paper: plain: 'vall' is not a key of a paper's numbers", "did you mean val?"),
        (NETWORK + "paper = { plain = { val = 'x' } }\n", "[[network]] 1: paper: plain: val is 'x', but must be a number or a whole number", None),
        (NETWORK + "set = { epochs = 3, iterations = 50 }\n", "[[network]] 1: set: epochs and iterations are both given, and each says how long to train", "leave one of them out"),
        (NETWORK + "[grid]\nrecipe = [3]\n", "[grid]: recipe is 3, but must be a text", None),
        (NETWORK + "[grid]\nplain = ['both']\n", "[grid]: plain has 'both', but must have true and false", None),
        (NETWORK + "[grid]\nn = 3\n", "[grid]: n is 3, but must be a list of values", None),
        (NETWORK + "[grid]\nlr = [0.1, 0.2, 0.10]\n", "[grid]: lr has 0.1 twice", "each value stands there once"),
        (NETWORK + "[grid]\nn = [[3]]\n", "[grid]: n has [3]", "a number, a text or a truth can vary; of lists, a network each is written"),
        (NETWORK + "[[figure]]\nname = 'gap'\n", "[[figure]] 1: name is 'gap'", "as in name = \"figure-8\"; it is that of its files, and not one of the report's own"),
        (NETWORK + "[[figure]]\nname = 'f'\nkind = 'curve'\n", "[[figure]] 1: kind is 'curve'", "one of accuracy, loss, overview, differences, depth, params, gap"),
        (NETWORK + "[[figure]]\nnames = 'f'\n", "[[figure]] 1: 'names' is not a key of a figure", "did you mean name?"),
        (NETWORK + "[[figure]]\nname = 'f'\nkind = 'gap'\nrows = 'a'\n", "[[figure]] 1: rows is 'a', but must be a list", None),
        (NETWORK + 2 * "[[figure]]\nname = 'f'\nkind = 'gap'\n", " two figures are called 'f'", None),
        (NETWORK + "label = 'a\\n'\n".replace("'", '"'), "[[network]] 1: label is 'a\\n', but must stand on one line", None),
        ('title = """a\nb"""\n' + NETWORK, "title is 'a\\nb', but must stand on one line", None),
        ("name = ", " is not TOML: Invalid value (at end of document)", None),
        ('name = "a\\u0000"\n' + NETWORK, "a text in it holds a null character, which no path has", None),
        ("name = " + "[" * 50_000, " is not TOML: it is nested too deeply", None),
        ("seeds = 1000000000\n" + NETWORK, "seeds is 1000000000", "10,000 at most"),
        ("name = '" + "a" * 101 + "'\n" + NETWORK, "name is '" + "a" * 101 + "'", "letters, digits, - and _, 100 at most: it is the name of a folder"),
    ],
)  # fmt: skip
def test_what_a_file_must_not_say_is_refused(
    text: str, fact: str, help: str | None, define: Define
) -> None:
    message, hint, code = failure(lambda: define(text))
    assert (message.endswith(fact), hint, code) == (True, help, 2), (message, hint)


def test_paths_are_from_the_file_and_names_stay_names(define: Define, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    text = 'data = "images"\nrecipe = "r.toml"\n[[network]]\narch = "tiny.arch"\n[[network]]\narch = "net1"\nrecipe = "quick"\ndata = "digits"\n'
    own, shipped = define(text).networks
    assert (own.arch, own.recipe, own.data) == tuple(
        str(tmp_path / name) for name in ("tiny.arch", "r.toml", "images")
    )
    assert (shipped.arch, shipped.recipe, shipped.data) == ("net1", "quick", "digits")


def test_paths_of_a_grid_are_from_the_file_too(define: Define, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    text = NETWORK + '[grid]\nrecipe = ["r.toml", "quick"]\ndata = ["images", "digits"]\n'
    assert define(text).grid == {
        "recipe": (str(tmp_path / "r.toml"), "quick"), "data": (str(tmp_path / "images"), "digits")
    }  # fmt: skip


def test_paths_of_budgets_are_from_the_file_and_what_is_typed_is_not(
    define: Define, tmp_path: Path
) -> None:
    for name in ("images", "others"):
        (tmp_path / name).mkdir()
    own = 'budget = { small = { data = "others" } }\n'
    text = f'{NETWORK}{own}{NETWORK}[budget]\nsmall = {{ data = "images" }}\nshipped = {{ data = "digits" }}\n'
    definition = define(text)
    found = {
        budget: [variant.data for variant in expand(within(definition, budget))]
        for budget in ("small", "shipped", "data=images", "small,data=images")
    }
    assert found == {
        "small": [str(tmp_path / "others"), str(tmp_path / "images")],
        "shipped": ["digits", "digits"],
        "data=images": ["images", "images"],
        "small,data=images": ["images", "images"],
    }


def test_epochs_of_a_network_go_before_iterations_for_all(define: Define) -> None:
    text = "set = { iterations = 3, lr = 0.5 }\n" + NETWORK + "set = { epochs = 4 }\n"
    assert define(text).networks[0].set == {"epochs": 4, "lr": 0.5}


def test_what_a_network_says_goes_before_what_holds_for_all(define: Define) -> None:
    text = 'seeds = 3\nclasses = 20\nset = { epochs = 9, lr = 0.5 }\nparams = { n = 4 }\n[[network]]\narch = "resnet-cifar"\nset = { lr = 1 }\nparams = { n = 5 }\n'
    definition = define(text)
    (variant,) = expand(definition)
    assert (variant.set, variant.params, variant.classes) == (
        {"epochs": 9, "lr": 1.0},
        {"n": 5},
        20,
    )
    assert definition.seeds == (0, 1, 2)


def test_the_grid_makes_every_combination_with_twins_side_by_side(define: Define) -> None:
    text = '[[network]]\narch = "resnet-cifar"\n[[network]]\narch = "net1"\n[grid]\nn = [3, 5]\nplain = [false, true]\n'
    variants = expand(define(text))
    labels = label_all(variants, ["ResNet"] * 4 + ["Net 1"] * 2)
    shown = [display(label, plain=v.plain) for label, v in zip(labels, variants, strict=True)]
    assert shown == [
        "ResNet n=3",
        "ResNet n=3, plain",
        "ResNet n=5",
        "ResNet n=5, plain",
        "Net 1",
        "Net 1, plain",
    ]
    assert group_all(variants) == (
        "resnet-cifar|n=3", "resnet-cifar|n=3", "resnet-cifar|n=5", "resnet-cifar|n=5", "net1", "net1",
    )  # fmt: skip


def test_a_grid_reaches_layers_of_files_that_a_network_uses(define: Define, tmp_path: Path) -> None:
    (tmp_path / "parts.arch").write_text("def Stage(c) { (BB c)x2 }\n")
    (tmp_path / "net.arch").write_text('use "parts.arch"\nConv 4 Stage 4 GAP FC classes\n')
    variants = expand(define('[[network]]\narch = "net.arch"\n[grid]\n"BB.dropout" = [0, 0.1]\n'))
    assert [dict(variant.params) for variant in variants] == [
        {"BB.dropout": 0},
        {"BB.dropout": 0.1},
    ]


def test_a_grid_reaches_layers_settings_of_networks_and_of_training(define: Define) -> None:
    text = '[[network]]\narch = "net1"\n[grid]\n"BB.order" = ["pre"]\nnorm = ["none"]\nlr = [0.1]\nrecipe = ["quick"]\n'
    (variant,) = expand(define(text))
    assert (variant.params, variant.set, variant.recipe) == (
        {"BB.order": "pre", "norm": "none"}, {"lr": 0.1}, "quick",
    )  # fmt: skip


def test_what_a_network_says_itself_no_grid_changes(define: Define) -> None:
    text = '[[network]]\narch = "resnet-cifar"\nparams = { n = 9 }\n[[network]]\narch = "resresnet"\n[grid]\nn = [3, 5]\n'
    assert [variant.params["n"] for variant in expand(define(text))] == [9, 3, 5]


@pytest.mark.parametrize(
    ("text", "fact", "help"),
    [
        (NETWORK + "[grid]\nseed = [1, 2]\n", "[grid]: seed is given", "say seeds = [0, 1, 2] above [grid], for all networks"),
        (NETWORK + "[grid]\nlearningrate = [0.1]\n", "[grid]: 'learningrate' is no parameter of net1, and no setting", "did you mean lr?"),
        (NETWORK + "[grid]\nweightdecay = [0.1]\n", "[grid]: 'weightdecay' is no parameter of net1, and no setting", "did you mean weight_decay?"),
        (NETWORK + "[grid]\nshortcuts = ['pad']\n", "[grid]: 'shortcuts' is no parameter of net1, and no setting", "did you mean shortcut?"),
        (NETWORK + "[grid]\nrecipes = ['quick']\n", "[grid]: 'recipes' is no parameter of net1, and no setting", "did you mean recipe?"),
        (NETWORK + "[grid]\ndepth = [3]\n", "[grid]: 'depth' is no parameter of net1, and no setting", "they have no parameters"),
        ('[[network]]\narch = "resnet-cifar"\n[grid]\nm = [3]\n', "[grid]: 'm' is no parameter of resnet-cifar, and no setting", "their parameters: n"),
        (NETWORK + "[grid]\n'Bott.order' = ['pre']\n", "[grid]: 'Bott.order' is no parameter of net1, and no setting", "they have no parameters"),
        (NETWORK + "plain = true\n[grid]\nplain = [true, false]\n", "[grid]: every network says itself what plain is", "leave it out of the networks or of the grid"),
        (NETWORK + "paper = { val = 0.5, plain = { val = 0.4 } }\n", "net1 has a paper's numbers of a plain twin, and no twin", 'say plain = "both"'),
        (NETWORK + "paper = { val = 0.5 }\n[grid]\nlr = [0.1, 1.0]\n", "net1 has a paper's numbers", "the grid makes 2 networks of it: list them, each with its own numbers"),
        (NETWORK + "[grid]\nlr = ['high']\n", "[grid]: lr is 'high', but must be a number", None),
    ],
)  # fmt: skip
def test_a_grid_that_fits_nothing_is_refused(
    text: str, fact: str, help: str | None, define: Define
) -> None:
    assert failure(lambda: expand(define(text))) == (fact, help, 2)


@pytest.mark.parametrize(
    ("budget", "names"), [("epochs=1,lr=0.1", "epochs"), ("iterations=9", "epochs")]
)
def test_a_budget_that_makes_rows_of_a_grid_the_same_is_refused(
    budget: str, names: str, define: Define
) -> None:
    definition = within(define(NETWORK + "[grid]\nepochs = [5, 10]\n"), budget)
    assert failure(lambda: expand(definition)) == (
        f"the budget overrides {names} of [grid], and makes rows the same",
        f"leave {names} out of the budget or of [grid]",
        2,
    )


def test_a_budget_may_say_what_a_grid_does_not_vary(define: Define) -> None:
    definition = within(define(NETWORK + "[grid]\nlr = [0.1, 0.2]\nepochs = [5]\n"), "epochs=1")
    assert [row.set for row in expand(definition)] == [
        {"lr": 0.1, "epochs": 1}, {"lr": 0.2, "epochs": 1},
    ]  # fmt: skip


def test_a_paper_may_have_other_numbers_for_the_twin(define: Define) -> None:
    text = NETWORK + 'plain = "both"\npaper = { val = 0.49, plain = { val = 0.46 } }\n'
    assert [v.paper_numbers for v in expand(define(text))] == [{"val": 0.49}, {"val": 0.46}]


@pytest.mark.parametrize("twins", ['plain = "both"\n', "[grid]\nplain = [false, true]\n"])
def test_the_numbers_of_a_network_are_not_those_of_its_twin(twins: str, define: Define) -> None:
    paper = "paper = { val = 0.49 }\n"
    found = expand(define(NETWORK + paper + twins))
    assert [(v.plain, v.paper_numbers) for v in found] == [(False, {"val": 0.49}), (True, {})]
    alone = expand(define(NETWORK + paper + "plain = true\n"))
    assert [(v.plain, v.paper_numbers) for v in alone] == [(True, {"val": 0.49})]


def test_a_budget_goes_before_all_else(define: Define) -> None:
    definition = define("classes = 50\nset = { iterations = 10, lr = 1 }\n" + NETWORK)
    small = within(definition, "epochs=5, classes=20,limit=2000")
    (variant,) = expand(small)
    assert (variant.classes, variant.limit, variant.set) == (20, 2000, {"lr": 1.0, "epochs": 5})


@pytest.mark.parametrize("text", ["cpu", "input=3x32x32,fit=true", "cpu,fit=on", "cpu,fit=ON"])
def test_a_budget_may_shrink_the_images(text: str, define: Define) -> None:
    definition = define(NETWORK + '[budget]\ncpu = { input = "3x32x32", fit = true }\n')
    (variant,) = expand(within(definition, text))
    assert (variant.input, variant.fit, variant.set) == ("3x32x32", True, {})
    line = " ".join(train_line(variant, 0, Path("runs")))
    assert "--input 3x32x32" in line
    assert "--fit" in line


@pytest.mark.parametrize(
    ("text", "fact", "help"),
    [
        ("epoch=5", "--budget: 'epoch' is not a setting", "did you mean epochs?"),
        ("epochs", "--budget: 'epochs' is not of the form KEY=VALUE", "as in epochs=5"),
        ("classes=1", "--budget: classes is 1, but must be 2 or more", None),
        ("limit=x", "--budget: limit is x, but must be 2 or more", None),
        ("seeds=0", "--budget: seeds is 0, but must be 1 or more", None),
        ("data=", "--budget: data is '', but must be a text", None),
        ("input=", "--budget: input is '', but must be a text", None),
        ("fit=2", "--budget: fit is '2', but must be true or false", None),
        ("epochs=2,epochs=1", "--budget: epochs is given twice", "leave one of them out"),
        ("limit=9,lr=1,limit=9", "--budget: limit is given twice", "leave one of them out"),
        (
            "epochs=2,iterations=9",
            "--budget: epochs and iterations are both given, and each says how long to train",
            "leave one of them out",
        ),
        ("epochs=many", "epochs is 'many', but must be a whole number", None),
        (
            "milestones=2,4,many",
            "milestones is [2, 4, 'many'], but must be a list of numbers",
            None,
        ),
        ("epochs=5,4", "--budget: '4' is not of the form KEY=VALUE", "as in epochs=5"),
        ("4,milestones=2", "--budget: '4' is not of the form KEY=VALUE", "as in epochs=5"),
        ("augment=flip,seed=3", "--budget: 'seed' is not a setting", "did you mean seeds?"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(text: str, fact: str, help: str | None) -> None:
    assert failure(lambda: read_layers(text)) == (fact, help, 2)


def test_what_follows_no_list_belongs_to_none() -> None:
    with pytest.raises(TrainError, match=r"^--budget: 'pad_crop padding' is not a setting\n"):
        read_layers("augment=flip,lr=1,pad_crop padding=2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("milestones=2, 4,epochs=5", {"milestones": (2.0, 4.0), "epochs": 5}),
        (
            "lr=1,augment=flip,pad_crop padding=2",
            {"lr": 1.0, "augment": ("flip", "pad_crop padding=2")},
        ),
        ("augment=none,milestones=3", {"augment": (), "milestones": (3.0,)}),
        ("milestones=2,4,cpu", {"milestones": (2.0, 4.0), "gamma": 0.5}),
        ("augment=flip,data=images", {"augment": ("flip",), "data": "images"}),
    ],
)
def test_a_list_goes_on_up_to_the_next_key(text: str, said: dict[str, object]) -> None:
    assert merged(read_layers(text, {"cpu": {"gamma": 0.5}})) == said


BUDGETS = """[budget]
cpu = { epochs = 5, classes = 20, seeds = 2, milestones = [2, 4], data = "cifar10" }
"""


def test_a_budget_has_a_name_and_what_is_typed_goes_before_it(define: Define) -> None:
    definition = define("seeds = [7, 8, 9]\n" + NETWORK + BUDGETS)
    small = within(definition, "cpu,classes=10")
    (variant,) = expand(small)
    assert (small.seeds, variant.classes, variant.data) == ((7, 8), 10, "cifar10")
    assert variant.set == {"epochs": 5, "milestones": (2.0, 4.0)}
    assert within(definition, "").seeds == (7, 8, 9)


@pytest.mark.parametrize(
    ("text", "fact", "help"),
    [
        ("cpu = 5", "[budget]: cpu: 5 is no table", "as in cpu = { epochs = 5, seeds = 1 }"),
        ("cpu = { epoch = 5 }", "[budget]: cpu: 'epoch' is not a setting", "did you mean epochs?"),
        ("cpu = { seeds = true }", "[budget]: cpu: seeds is True, but must be 1 or more", None),
        ("cpu = { fit = 1 }", "[budget]: cpu: fit is 1, but must be true or false", None),
        (
            '"a,b" = { epochs = 1 }',
            "[budget]: 'a,b' is no name that --budget can be given",
            "as in cpu",
        ),
        (
            '"a=b" = { epochs = 1 }',
            "[budget]: 'a=b' is no name that --budget can be given",
            "as in cpu",
        ),
        ("cpu = { epochs = 0 }", "[budget]: cpu: epochs is 0, but at least 1 is needed", None),
        ("cpu = { lr = 'x' }", "[budget]: cpu: lr is 'x', but must be a number", None),
    ],
)
def test_a_budget_of_a_file_that_makes_no_sense_is_refused(
    text: str, fact: str, help: str | None, define: Define
) -> None:
    message, hint, code = failure(lambda: define(NETWORK + f"[budget]\n{text}\n"))
    assert (message.endswith(fact), hint, code) == (True, help, 2), message


OWN = "seeds = 2\n" + NETWORK + "budget = { cpu = { epochs = 9, lr = 1 } }\n" + NETWORK + BUDGETS


def test_a_network_may_say_itself_what_a_budget_leaves_of_it(define: Define) -> None:
    definition = define(OWN)
    first, second = expand(within(definition, "cpu"))
    assert first.set == {"epochs": 9, "lr": 1.0, "milestones": (2.0, 4.0)}
    assert second.set == {"epochs": 5, "milestones": (2.0, 4.0)}
    assert {v.set["epochs"] for v in expand(within(definition, "cpu,epochs=3"))} == {3}
    assert {v.set["epochs"] for v in expand(within(definition, "epochs=3"))} == {3}
    assert within(definition, "cpu").budget["epochs"] == 5
    assert [v.set for v in expand(definition)] == [{}, {}]


@pytest.mark.parametrize(
    ("text", "fact", "help"),
    [
        ("gpu = { epochs = 9 }", "the budget gpu of net1 is none of the file", "did you mean cpu?"),
        ("cpu = { seeds = 1 }", "the budget cpu of net1 has seeds", "say under [budget] how many, for all networks"),
        ("cpu = { epoch = 9 }", "[[network]] 1: budget: cpu: 'epoch' is not a setting", "did you mean epochs?"),
    ],
)  # fmt: skip
def test_a_budget_of_a_network_that_makes_no_sense_is_refused(
    text: str, fact: str, help: str, define: Define
) -> None:
    message, hint, code = failure(lambda: define(f"{NETWORK}budget = {{ {text} }}\n{BUDGETS}"))
    assert (message.endswith(fact), hint, code) == (True, help, 2), (message, hint)


def test_a_budget_that_the_file_does_not_have_is_refused(define: Define) -> None:
    definition = define(NETWORK + BUDGETS)
    fact = "--budget: 'cpus' is not of the form KEY=VALUE, and no budget of the file"
    assert failure(lambda: within(definition, "cpus")) == (
        fact,
        "did you mean cpu?",
        2,
    )


def test_labels_say_what_differs_and_no_more() -> None:
    variants = [Variant("net1", set={"lr": lr, "epochs": 5}, data="digits") for lr in (0.1, 0.01)]
    assert label_all(variants, ["Net 1", "Net 1"]) == ("Net 1 lr=0.1", "Net 1 lr=0.01")
    labelled = [Variant("net1", label="wide", params={"k": k}) for k in (1, 2)]
    assert label_all(labelled, ["Net 1", "Net 1"]) == ("wide k=1", "wide k=2")
    alone = [Variant("net1", label="wide", params={"k": 2}), Variant("net6", params={"k": 2})]
    assert label_all(alone, ["Net 1", "Net 6"]) == ("wide", "Net 6 k=2")


def test_two_rows_of_one_label_are_refused() -> None:
    same = [Variant("a.arch"), Variant("b.arch")]
    assert failure(lambda: label_all(same, ["Net", "Net"])) == (
        "2 networks are called 'Net'", 'give each its own label in the file of an experiment, as in label = "wide"', 2,
    )  # fmt: skip


VALUES = st.one_of(
    st.integers(0, 99),
    st.floats(1e-6, 9),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1),
)
LABELS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(
    lambda text: text == "".join(text.splitlines())
)


@given(st.dictionaries(st.text("abc.-", min_size=1), VALUES, min_size=1), LABELS)
def test_a_definition_that_was_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, params: dict[str, object], label: str
) -> None:
    path = tmp_path_factory.mktemp("written") / "experiment.toml"
    write_definition(
        path, {"name": "x", "seeds": [0, 2]}, [{"arch": "net1", "params": params, "label": label}]
    )
    definition = read_definition(path)
    (variant,) = definition.networks
    assert (definition.seeds, variant.params, variant.label) == ((0, 2), params, label)


def test_a_folder_that_a_definition_cannot_be_written_in_is_said(tmp_path: Path) -> None:
    (tmp_path / "experiments").write_text("mine")
    with pytest.raises(TrainError) as caught:
        write_definition(tmp_path / "experiments" / "a.toml", {"name": "a"}, [{"arch": "net1"}])
    assert str(caught.value) == f"cannot make {tmp_path / 'experiments'}: File exists"
    assert caught.value.exit_code == 6


def test_all_that_a_written_file_held_before_is_kept_beside_it(tmp_path: Path) -> None:
    path, networks = tmp_path / "experiment.toml", [{"arch": "net1"}]
    assert write_definition(path, {"name": "a"}, networks) is None
    by_hand = path.read_text() + "plain = true  # by hand\n"
    path.write_text(by_hand)
    first = write_definition(path, {"name": "b"}, networks)
    assert first == tmp_path / "experiment.before.toml"
    second = write_definition(path, {"name": "c"}, networks)
    assert second == tmp_path / "experiment.before-2.toml"
    path.write_text(by_hand)
    assert write_definition(path, {"name": "c"}, networks) == first
    assert (first.read_text(), read_definition(second).name) == (by_hand, "b")


def test_the_file_of_the_manual_is_one(define: Define) -> None:
    text = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text("utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", text, re.S | re.M)
    definition = define(example)
    rows = [(v.arch, v.plain, dict(v.params)) for v in expand(definition)]
    assert rows[:2] == [("resnet-cifar", False, {"n": 3}), ("resnet-cifar", True, {"n": 3})]
    assert (rows[6:], len(definition.seeds)) == ([("net1", False, {})], 3)


@pytest.mark.parametrize("name", ["start.safetensors", "start.pth", "below/start"])
def test_weights_of_any_suffix_are_found_beside_the_file(
    define: Define, tmp_path: Path, name: str
) -> None:
    (tmp_path / "start.pth").write_bytes(b"")
    definition = define(f'[[network]]\narch = "tiny.arch"\nweights = "{name}"\n')
    assert definition.networks[0].weights == str(tmp_path / name)


def test_a_file_with_a_colon_in_its_name_is_found_beside_the_file(
    tmp_path: Path, define: Define
) -> None:
    (tmp_path / "r:1.toml").write_text("[train]\nlr = 0.03\n")
    network = '[[network]]\narch = "n:1.arch"\nrecipe = "r:1.toml"\nweights = "w:1.safetensors"\n'
    (variant,) = define(network).networks
    names = ("n:1.arch", "r:1.toml", "w:1.safetensors")
    assert (variant.arch, variant.recipe, variant.weights) == tuple(
        str(tmp_path / name) for name in names
    )


def test_weights_by_name_are_no_file(define: Define) -> None:
    definition = define('[[network]]\narch = "tiny.arch"\nweights = "torchvision:resnet18"\n')
    assert definition.networks[0].weights == "torchvision:resnet18"


def test_a_typed_length_goes_before_the_other_way_to_say_it(define: Define) -> None:
    definition = define(
        '[[network]]\narch = "tiny.arch"\n[budget]\ncpu = { epochs = 5, lr = 0.1 }\n'
    )
    (variant,) = expand(within(definition, "cpu,iterations=30"))
    assert variant.set == {"lr": 0.1, "iterations": 30}


def test_networks_on_images_of_two_places_have_each_its_own_twin(define: Define) -> None:
    text = "".join(
        f'[[network]]\narch = "tiny.arch"\nlabel = "{name}"\nplain = "both"\ndata_dir = "{name}"\n'
        for name in "ab"
    )
    groups = group_all(expand(define(text)))
    assert groups[0] == groups[1] != groups[2] == groups[3]


def test_a_budget_cannot_ask_for_more_seeds_than_there_are(define: Define) -> None:
    definition = define('seeds = 2\n[[network]]\narch = "tiny.arch"\n')
    with pytest.raises(TrainError, match="the budget asks for 9 seeds, and x has 2"):
        within(definition, "seeds=9")


def test_a_file_may_begin_with_the_mark_of_an_editor(tmp_path: Path) -> None:
    path = tmp_path / "e.toml"
    path.write_bytes(b"\xef\xbb\xbf" + NETWORK.encode())
    assert read_definition(path).name == "e"


def test_a_text_may_speak_of_a_null_character(define: Define) -> None:
    (variant,) = define("[[network]]\narch = 'net1'\nlabel = 'a\\u0000b'\n").networks
    assert variant.label == "a\\u0000b"
