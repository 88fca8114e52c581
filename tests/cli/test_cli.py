"""The command line as a person meets it: exit codes, what goes to which stream, exact texts."""

import ast
import io
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from rich.console import Console

from netdsl.cli.progress import Bar, bringing, decoding, listen, plan_lines
from netdsl.train import Forecast, Settings
from netdsl.train.progress import Start
from tests.cli.command import Run

ROW = "input 3x64x64 (Conv 64)× 2 Avg 2 BB 64, BB128 → FC 200"


class TestBuild:
    def test_a_pasted_row_is_counted(self, run: Run) -> None:
        done = run("build", "-", stdin=ROW)
        assert (done.returncode, done.stderr.count("warning[W0501]")) == (0, 1)
        assert done.stdout.startswith("network: 7 layers\n")
        assert "(Conv 64)x2" in done.stdout
        assert "128x32x32" in done.stdout
        assert (
            "Assumed: norm batch, act relu, init kaiming, bias auto, shortcut avgpad" in done.stdout
        )

    def test_json_has_the_promised_keys(self, run: Run) -> None:
        done = run("build", "net1", "--json", "--plain")
        assert (done.returncode, "`residual` is overridden" in done.stderr) == (0, True)
        record = json.loads(done.stdout)
        assert {k: record[k] for k in ("name", "plain", "input", "output", "depth", "params", "macs")} == {
            "name": "Net 1", "plain": True, "input": [3, 64, 64], "output": [200], "depth": 15,
            "params": 6_647_176, "macs": 894_582_784,
        }  # fmt: skip
        assert record["layers"][3] == {
            "name": "bb1", "op": "BB", "text": "BB 64", "shape": [64, 32, 32],
            "params": 73_984, "macs": 75_497_472,
        }  # fmt: skip
        assert sum(layer["params"] for layer in record["layers"]) == record["params"]

    def test_parameters_scales_input_and_classes_are_taken(self, run: Run, tmp_path: Path) -> None:
        one = run("build", "resnet-cifar", "-D", "n=18", "--json")
        other = run("build", "resnet-cifar", "--scale", "resnet110", "--json")
        named = run("build", "resnet110", "--json")
        assert other.stdout == named.stdout
        assert named.stdout.replace("ResNet-110", "ResNet-CIFAR") == one.stdout
        assert json.loads(one.stdout)["params"] == 1_727_962
        done = run(
            "build", "resnet18", "--input", "3x64x64", "--classes", "200", "--json", cwd=tmp_path
        )
        assert json.loads(done.stdout)["output"] == [200]

    def test_expand_shows_every_node(self, run: Run) -> None:
        done = run("build", "-", "--expand", stdin="input 3x8x8 (BB 4)x2 GAP FC 2")
        assert done.returncode == 0
        for word in ("conv1_norm", "shortcut", "add", "act"):
            assert done.stdout.count(word) >= 2, word


class TestMistakes:
    """What a new user does wrong in the first ten minutes."""

    @pytest.fixture
    def refused(self, run: Run, tmp_path: Path) -> Callable[[str], str]:
        """Check a text that is refused and return what is said of it."""

        def check(text: str) -> str:
            (tmp_path / "net.arch").write_text(text, encoding="utf-8")
            done = run("check", "net.arch")
            assert (done.returncode, done.stdout) == (2, "")
            assert "Traceback" not in done.stderr
            return done.stderr

        return check

    def test_a_pool_larger_than_its_map(self, refused: Callable[[str], str]) -> None:
        text = refused("input 3x64x64\n(Conv 64)x2 Max2 Max16 Avg4 FC200\n")
        assert text == (
            "error[E0301]: Avg 4 does not fit: its input is only 2x2\n"
            "  --> net.arch:2:24\n"
            "   |\n"
            " 2 | (Conv 64)x2 Max2 Max16 Avg4 FC200\n"
            "   |                  ----- ^^^^ input 64x2x2\n"
            "   |                  the map shrinks 32x32 -> 2x2 here\n"
            "   = help: use `Avg2` or `GAP`\n\n"
        )

    def test_all_errors_of_a_file_come_in_one_run(self, refused: Callable[[str], str]) -> None:
        text = refused(
            "nrom batch input 3x32x32\nCnov 64 BB 64 dropuot=0.5\nMax 99 Conv 3 act=rleu\n"
        )
        assert [line for line in text.splitlines() if line.startswith("error")] == [
            "error[E0202]: unknown setting `nrom`; did you mean `norm`?",
            "error[E0201]: unknown layer `Cnov`; did you mean `Conv`?",
            "error[E0203]: BB has no option `dropuot`; did you mean `dropout`?",
            "error[E0206]: act of Conv takes relu, relu6, gelu, silu, hardswish, leaky_relu, elu, "
            "sigmoid, tanh or none, not `rleu`; did you mean `relu`?",
        ]

    def test_a_broken_expectation(self, refused: Callable[[str], str]) -> None:
        text = refused("input 3x32x32 shortcut pad n = 9 expect(params=0.27M)\n"
            "Conv 16 (BB 16)x n (BB 32 s=[2,1])x n (BB 64 s=[2,1])x n GAP FC 10\n")  # fmt: skip
        assert text.startswith("error[E0401]: expected params = 0.27M, the network has 853018\n")

    def test_a_missing_input_is_a_note_for_check_and_an_error_for_build(
        self, run: Run, tmp_path: Path
    ) -> None:
        (tmp_path / "net.arch").write_text("Conv 64 FC 10")
        done = run("check", "net.arch")
        assert (done.returncode, done.stderr.splitlines()[0]) == (
            0, "note[N0506]: no input is given, so shapes were not checked",
        )  # fmt: skip
        done = run("build", "net.arch")
        assert done.returncode == 2
        assert done.stderr == (
            "error[E0309]: the input is not known\n"
            "  = help: write `input 3x64x64` in the header, or give --input 3x64x64, in Python `input=(3, 64, 64)`\n"
        )

    def test_beside_a_missing_input_all_else_is_told(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "net.arch").write_text("Conv 64 @a FC 10")
        done = run("build", "net.arch")
        told = [line for line in done.stderr.splitlines() if line.startswith(("error", "warning"))]
        assert told == [
            "error[E0309]: the input is not known",
            "warning[W0503]: the label `@a` is never read",
        ]

    def test_a_name_that_is_not_shipped(self, run: Run) -> None:
        done = run("build", "resnet65")
        assert done.returncode == 2
        assert done.stderr == (
            "error[E0001]: no file and no shipped architecture `resnet65`; did you mean `resnet56`?\n"
        )

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["build", "net1", "-D", "n"], "`n` is not of the form NAME=VALUE"),
            (["build", "net1", "-D", "n=3"], "the file has no parameter `n`"),
            (["build", "resnet-cifar", "-D", "m=3"], "the file has no parameter `m`; it has n"),
            (["build", "net1", "--input", "64"], "`64` is not a shape such as 3x64x64"),
            (["build", "net1", "--scale", "s"], "the file has no scale `s`"),
            (["draw", "net1", "-o", "net1.jpg"], "a drawing ends in .svg, .png, .pdf or .dot"),
            (["train", "net1", "--save-minutes", "nan"], "nan is not a number"),
            (
                ["train", "net1", "--epochs", "2", "--set", "iterations=3"],
                "are both given, and each says how long to train",
            ),
            (
                ["train", "net1", "--set", "iterations=3", "--set", "epochs=2"],
                "epochs and iterations are both given",
            ),
            (["train", "net1", "--set", "lr=1" + 400 * "0"], "lr is too large"),
            (
                ["compare", "net1", "--epochs", "1", "--set", "epochs=9"],
                "--epochs and --set epochs=… are both given",
            ),
            (
                ["compare", "net1", "--epochs", "1", "--set", "iterations=9"],
                "--epochs and --set iterations=… are both given",
            ),
            (["build", "missing.arch"], "cannot read missing.arch: No such file or directory"),
            (["biuld", "net1"], "No such command 'biuld'. Did you mean 'build'?"),
            (["BUILD", "net1"], "No such command 'BUILD'. Did you mean 'build'?"),
            (["xyz"], "No such command 'xyz'.\n"),
            (["build", "net1.arch"], "help: the network that comes along is called `net1`"),
        ],
    )
    def test_wrong_arguments(self, run: Run, arguments: list[str], message: str) -> None:
        done = run(*arguments)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr


class TestCheck:
    def test_success_is_silent(self, run: Run) -> None:
        done = run("check", "net1", "resnet50", "digits")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_json_has_positions(self, run: Run) -> None:
        done = run("check", "-", "--format", "json", stdin="input 3x8x8\nCnov 64")
        (finding,) = json.loads(done.stdout)
        assert (done.returncode, finding["code"]) == (2, "E0201")
        assert finding["span"] == {
            "file": "<stdin>", "line": 2, "column": 1, "start": 12, "end": 16
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"Conv \xff", "UTF-8"),
            (b"Conv 3\0", "NUL"),
            (b"", "no layers"),
            (b"#" * 2_000_000, "limit"),
        ],
    )
    def test_bytes_that_are_no_source(
        self, run: Run, data: bytes, message: str, tmp_path: Path
    ) -> None:
        (tmp_path / "net.arch").write_bytes(data)
        done = run("check", "net.arch")
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
        assert "error[E01" in done.stderr


class TestDraw:
    @pytest.mark.parametrize("suffix", ["svg", "png", "pdf", "dot", "SVG"])
    def test_every_format(self, run: Run, suffix: str, tmp_path: Path) -> None:
        done = run("draw", "net1", "--twins", "-o", f"net.{suffix}")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"net.{suffix}\n", "")
        heads = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}
        assert heads[suffix.lower()] in (tmp_path / f"net.{suffix}").read_bytes()[:200]

    def test_the_file_is_named_after_the_network(self, run: Run) -> None:
        assert run("draw", "digits").stdout == "digits.svg\n"
        assert run("draw", "digits", "--twins").stdout == "digits-twins.svg\n"
        assert run("draw", "digits", "--plain").stdout == "digits-plain.svg\n"

    def test_a_network_that_is_its_own_twin_is_refused(self, run: Run, tmp_path: Path) -> None:
        done = run("draw", "vgg11", "--twins")
        message = "VGG-11 has no shortcuts: it is its own plain twin; leave --twins away"
        assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"Error: {message}")
        assert list(tmp_path.iterdir()) == []

    def test_letters_without_a_font_are_told_of(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "")
        done = run("draw", "-", "-o", "net.png", stdin='name "木" input 3x8x8 Conv 4')
        assert (done.returncode, done.stdout) == (0, "net.png\n")
        assert done.stderr == (
            "no font here has 木, which is a box in net.png: "
            "draw an .svg, or install a font that has it\n"
        )


class TestSourceFmtList:
    def test_source_runs_alone(self, run: Run, tmp_path: Path) -> None:
        run("source", "digits", "-o", "digits.py")
        done = subprocess.run(
            [sys.executable, "-I", "digits.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "685418" in done.stdout

    def test_the_example_in_a_source_names_the_file_that_it_is_in(
        self, run: Run, tmp_path: Path
    ) -> None:
        for name in ("my_model.py", "my-model.py"):
            run("source", "digits", "--plain", "-o", name)
            text = (tmp_path / name).read_text("utf-8")
            docstring = ast.get_docstring(ast.parse(text), clean=False) or ""
            code = docstring.partition("needs torch alone:\n")[2].partition("\nThe network")[0]
            program = f"{textwrap.dedent(code)}\nprint(type(network).__name__, *scores.shape)"
            done = subprocess.run(
                [sys.executable, "-c", program],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stdout) == (0, "DigitsPlain 1 10\n"), done.stderr
        assert (
            "    from digits_plain import DigitsPlain\n"
            in run("source", "digits", "--plain").stdout
        )

    def test_a_source_never_takes_the_place_of_a_network(self, run: Run, tmp_path: Path) -> None:
        texts = {"net.arch": "input 3x8x8 Conv 8", "net.py": 'input 3x8x8 use "lib.py" A',
                 "lib.py": "def A() { Conv 8 }"}  # fmt: skip
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
        for name, output, said in (
            ("net.arch", "net.arch", "Invalid value for '-o' / '--output': `net.arch` must end in .py"),
            ("net.arch", "a.txt", "Invalid value for '-o' / '--output': `a.txt` must end in .py"),
            ("net.py", "net.py", "net.py is what the network is read from: name another file"),
            ("net.py", "lib.py", "lib.py is what the network is read from: name another file"),
            ("net.arch", "torch.py", "torch.py would hide torch, which it imports: name another file"),
        ):  # fmt: skip
            done = run("source", name, "-o", output)
            assert done.returncode == 2
            assert done.stderr.endswith(f"Error: {said}\n")
        assert {name: (tmp_path / name).read_text() for name in texts} == texts
        assert not (tmp_path / "torch.py").exists()

    def test_translate_writes_what_errors_tell(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "table.txt").write_text(
            "3x3 conv, 64 # one\n3x3 conv, 8, stride 2\n10-d fc, softmax\n"
        )
        network = "Conv 64  # one\nConv 8 s=2\nFC 10\n"
        changes = (
            "table.txt:1:1: `3x3 conv, 64` is written `Conv 64`\n"
            "table.txt:2:1: `3x3 conv, 8, stride 2` is written `Conv 8 s2`\n"
            "table.txt:3:1: `10-d fc` is written `FC 10`\n"
            "table.txt:3:8: `, softmax` is left away here; the loss takes the scores of the last FC\n"
        )
        done = run("translate", "table.txt")
        assert (done.returncode, done.stdout, done.stderr) == (0, network, changes)
        done = run("translate", "-", "-o", "net.arch", stdin=(tmp_path / "table.txt").read_text())
        assert (done.returncode, done.stdout) == (0, "net.arch\n")
        assert done.stderr == changes.replace("table.txt", "<stdin>")
        assert (tmp_path / "net.arch").read_text() == network
        again = run("translate", "net.arch")
        assert (again.returncode, again.stdout, again.stderr) == (0, network, "")
        for command in ("build", "check"):
            refused = run(command, "table.txt", "--input", "3x8x8")
            assert refused.returncode == 2
            assert refused.stderr.endswith(
                "\n\n`netdsl translate FILE` writes all of these forms as they are told\n"
            )
        assert "translate" not in run("check", "net.arch", "--input", "3x8").stderr

    def test_translate_prints_what_it_can_where_something_stays_wrong(
        self, run: Run, tmp_path: Path
    ) -> None:
        (tmp_path / "table.txt").write_text("3x3 conv, 64\nConv 8 = 3\n")
        done = run("translate", "table.txt")
        assert (done.returncode, done.stdout) == (2, "Conv 64\nConv 8 = 3\n")
        first, *error = done.stderr.splitlines()
        assert first == "table.txt:1:1: `3x3 conv, 64` is written `Conv 64`"
        assert error[1] == "  --> table.txt, translated:2:8"
        done = run("translate", "-", stdin="[3×3, 8; 3×3, 8; fc, [2, 8]] × 3")
        assert done.returncode == 2
        assert done.stderr.startswith("error[E0121]: ")
        assert "netdsl translate" not in done.stderr
        assert run("translate", "nowhere.txt").returncode == 2
        (tmp_path / "lib.arch").write_text("def Stage(c) { BB c }")
        (tmp_path / "uses.txt").write_text('use "lib.arch" conv3-8 Stage 8')
        done = run("translate", str(tmp_path / "uses.txt"), cwd=tmp_path.parent)
        assert (done.returncode, done.stdout) == (0, 'use "lib.arch"\n\nConv 8  Stage 8\n')

    def test_fmt_is_canonical_and_idempotent(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "net.arch").write_text("input 3x8x8 # images\nConv64k7s2,FC10")
        assert run("fmt", "net.arch", "--check").returncode == 2
        assert run("fmt", "net.arch", "-w").returncode == 0
        text = (tmp_path / "net.arch").read_text()
        assert "# images" in text
        assert "Conv 64" in text
        assert run("fmt", "net.arch", "--check").returncode == 0
        assert run("fmt", "net.arch").stdout == text

    def test_fmt_writes_nothing_that_is_not_the_persons_own(self, run: Run, tmp_path: Path) -> None:
        done = run("fmt", "-w", "resnet56")
        assert done.returncode == 2
        assert "resnet56 comes with netdsl, and -w is for files of your own" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_list_names_what_is_shipped(self, run: Run) -> None:
        done = run("list")
        assert "net1" in done.stdout
        assert "resnet20, resnet32, resnet44, resnet56, resnet110" in done.stdout
        assert "\n\nthe zoo of torchvision:\nalexnet\n" in done.stdout
        layers = run("list", "layers").stdout
        assert "Squeeze-and-excitation" in layers
        assert {"Res", "Add", "Cat", "Mul"} <= {line.split()[0] for line in layers.splitlines()}


def test_the_first_thing_a_person_types_explains_itself(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in ("build", "check", "draw", "train", "evaluate", "source", "fmt", "list"):
        assert f"  {name} " in done.stdout


def test_ctrl_c_before_the_command_line_is_there_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from netdsl.__main__ import main

    def cut() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("netdsl.cli.main", cut)
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().err) == (130, "interrupted\n")


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    line = f"{sys.executable} -m netdsl list layers | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], text=True, capture_output=True, cwd=tmp_path, check=False
    )
    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")


def test_a_stream_that_is_not_utf_8_gets_what_it_can_hold(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "netdsl", "check", "-"], input="Conv 64 → ✗".encode(),
        capture_output=True, cwd=tmp_path, check=False,
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert (done.returncode, b"unexpected character `?`" in done.stderr) == (2, True)


def test_a_bar_leaves_the_terminal_as_it_was_however_a_training_ends(tmp_path: Path) -> None:
    written = io.StringIO()
    bar = Bar(tmp_path, Console(file=written, force_terminal=True))
    bar.progress.start()
    bar.close()
    assert written.getvalue().rindex("\x1b[?25h") > written.getvalue().rindex("\x1b[?25l")
    bar.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_writer_of_tensorboard_ends_however_a_training_ends(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    before = set(threading.enumerate())

    def train() -> None:
        with listen(tmp_path, tensorboard=True) as told:
            told.started(Start("digits", 8, 2, 5, Settings(), steps=1))
            assert set(threading.enumerate()) - before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()
    assert not set(threading.enumerate()) - before


def test_what_there_is_one_of_is_told_as_one() -> None:
    forecast = Forecast(0.1, 0.1, 90.0, steps=1, epochs=1, peak_memory=10**9, disk=10**6)
    first, _ = plan_lines(forecast)
    assert first == "a step takes 100.0 ms, an epoch of 1 step 0.1 s, 1 epoch 1 min 30 s"
    long = Forecast(22.3, 44.6, 90.0, steps=2, epochs=2, peak_memory=10**9, disk=10**6)
    assert next(plan_lines(long)).startswith("a step takes 22.3 s, an epoch of 2 steps 44.6 s")


def test_what_is_noted_stands_above_the_bar_where_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = io.StringIO()
    bar = Bar(tmp_path, Console(file=written, force_terminal=True))
    bar.note("decoding [images]")
    assert (written.getvalue(), capsys.readouterr().err) == ("", "decoding [images]\n")
    bar.started(Start("digits", 8, 2, 5, Settings(), steps=1))
    bar.note("no better than [guessing]")
    bar.close()
    assert "no better than [guessing]\n" in written.getvalue()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("shown", [decoding, bringing])
def test_brackets_of_a_path_are_no_markup(
    shown: Callable[[str], AbstractContextManager[object]],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with shown("old [/b] photos [2]"):
        pass
    assert "old [/b] photos [2]" in capsys.readouterr().err


def test_a_source_that_cannot_be_written_names_its_file(run: Run) -> None:
    done = run("source", "net1", "-o", "nowhere/x.py")
    message = "error[E0606]: cannot write nowhere/x.py: No such file or directory\n"
    assert (done.returncode, done.stderr) == (6, message)


def test_a_name_that_is_given_twice_is_refused(run: Run) -> None:
    done = run("build", "resnet-cifar", "-D", "n=3", "-D", "n=5")
    assert (done.returncode, "-D: `n` is given twice" in done.stderr) == (2, True)
    done = run("build", "net1", "--classes", "5", "-D", "classes=7")
    assert (done.returncode, "`classes` is given twice from outside" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("typed", "option"),
    [
        ("build net1 --input 3x8x8 --input=3x64x64", "--input"),
        ("draw net1 -o a.svg --output b.svg", "-o/--output"),
        ("train net1 --epochs 1 --lr 1 --epochs 2", "--epochs"),
        ("train net1 --compile --no-compile", "--compile/--no-compile"),
        ("experiment plan x.toml --jobs 1 --jobs 2", "--jobs"),
        ("data info digits --data-dir a --data-dir b", "--data-dir"),
    ],
)
def test_an_option_that_is_typed_twice_is_refused(run: Run, typed: str, option: str) -> None:
    done = run(*typed.split())
    assert done.returncode == 2
    assert done.stderr.endswith(f"Error: {option} is given twice; leave one of them out\n")


def test_an_option_that_may_be_repeated_may_be(run: Run) -> None:
    done = run("build", "resnet-cifar", "-D", "n=1", "-D", "act=gelu", "--json")
    assert (done.returncode, json.loads(done.stdout)["blocks"]) == (0, 3)


def test_what_changes_nothing_is_told_or_refused(run: Run, tmp_path: Path) -> None:
    done = run("build", "net1", "--json", "--expand")
    assert (done.returncode, done.stderr) == (
        0, "--expand changes nothing: --json has every repetition as it is\n",
    )  # fmt: skip
    done = run("build", "-", "--plain", stdin='name "A" input 3x8x8 Conv 8 GAP FC 3')
    assert (done.returncode, done.stderr) == (
        0, "--plain changes nothing: A has no shortcuts, and is its own plain twin\n",
    )  # fmt: skip
    (tmp_path / "f.arch").write_text("input 3x8x8 Conv64 GAP FC10")
    done = run("fmt", "--check", "-w", "f.arch")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2, "Error: --check writes nothing: leave -w away",
    )  # fmt: skip
    done = run("fmt", "-", "-w", stdin="Conv 4")
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "Conv 4\n", "-w changes nothing: what came from standard input is printed\n",
    )  # fmt: skip


def test_a_traceback_stands_before_the_error_and_changes_no_exit_code(run: Run) -> None:
    plain, asked = run("build", "nosuch"), run("--traceback", "build", "nosuch")
    assert asked.returncode == plain.returncode == 2
    assert asked.stderr.startswith("Traceback (most recent call last):\n")
    assert asked.stderr.endswith(f"\n{plain.stderr}")


def test_what_the_system_refuses_is_said_behind_the_file(run: Run) -> None:
    name = "a" * 300
    done = run("evaluate", name)
    assert (done.returncode, done.stderr) == (6, f"error: {name}: File name too long\n")


@pytest.mark.parametrize("line", ["--traceback build net1 --nosuch", "build net1 --traceback"])
def test_what_was_mistyped_has_no_traceback(run: Run, line: str) -> None:
    done = run(*line.split())
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "Error: No such option" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "build net1 --input=", "build net1 --scale=", "draw net1 --output=",
        "source net1 --output=", "transfer net1 --from=", "transfer net1 --from x --output=",
        "compare net1 --budget=", "compare net1 --recipe=", "compare net1 --name=",
        "ablate net1 --input=", "data show digits --recipe=",
    ],
)  # fmt: skip
def test_a_variable_of_the_shell_that_is_not_set_is_no_value(
    run: Run, tmp_path: Path, line: str
) -> None:
    done = run(*line.split())
    option = line.rsplit(maxsplit=1)[-1].removesuffix("=")
    kind = "path" if option == "--output" else "text"
    assert done.returncode == 2
    assert done.stderr.endswith(f"{option}': an empty {kind}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_nobody_reads_is_not_done(tmp_path: Path) -> None:
    train = f"{sys.executable} -m netdsl train digits --data digits --limit 100 --epochs 50"
    line = f"{train} --run-dir run | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], text=True, capture_output=True, cwd=tmp_path, check=False
    )
    assert (done.stdout.splitlines()[-1], done.stderr) == ("141", "")
    assert not (tmp_path / "run" / "summary.json").exists()
