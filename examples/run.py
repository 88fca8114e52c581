"""All tables and figures of a report with one command.

    python examples/run.py 000-tiny-imagenet --budget cpu

types the commands of `report.toml` one after the other in the folder of the example. Whatever is
finished is left alone, so it can be stopped and called again. Accuracies are then told beside those
that are kept in `results/`; `--keep` puts the new ones in their place. `--go-on` begins with what
is kept, so that only what is missing there is run.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from commands import run_python
from items import (
    EXPERIMENTS,
    FOLDER,
    RESULTS,
    RUN,
    Example,
    Item,
    chosen,
    made,
    read_example,
    typed,
)

# Results are read late: that imports torch, which `--list` has no use for.


def main() -> None:
    """Run what the command line asks for; end with the code of the first command that failed."""
    choice = _parser().parse_args()
    example = read_example(FOLDER / choice.example)
    wanted = _wanted(example, choice.only)
    experiments = dict.fromkeys(item.experiment for item in wanted if item.experiment)
    lines = {line: item for item in wanted for line in _lines(item, _options(choice))}
    if choice.list:
        print("\n".join(map(typed, lines)), flush=True)
        return
    for folder in ("figures", EXPERIMENTS):
        (example.folder / folder).mkdir(exist_ok=True)
    if choice.go_on:
        for name in experiments:
            _begin_with_kept(example, name)
    codes = [_typed(line, example, item) for line, item in lines.items()]
    for name in experiments:
        _compare(example, name)
    if choice.keep:
        codes += [_keep(example, name) for name in experiments]
        for item in wanted:
            _keep_files(example, item)
    sys.exit(next(filter(None, codes), 0))


def _wanted(example: Example, names: Sequence[str] | None) -> Sequence[Item]:
    """Return the items of these names, all of them where there are none."""
    for name in names or ():
        if not chosen(example.items, name):
            known = "\n  ".join(item.name for item in example.items)
            sys.exit(f"{example.folder.name} has no {name!r}; it has\n  {known}")
    wanted = {item.name for name in names or () for item in chosen(example.items, name)}
    return [item for item in example.items if not names or item.name in wanted]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = sorted(path.parent.name for path in FOLDER.glob("*/report.toml"))
    parser.add_argument("example", choices=names)
    parser.add_argument("--budget", help="what experiments are cut to, such as cpu")
    parser.add_argument("--jobs", type=int, help="how many runs of an experiment at once")
    parser.add_argument("--threads", type=int, help="of each run of an experiment")
    parser.add_argument("--only", action="append", metavar="ITEM", help='such as "Figure 9"')
    parser.add_argument("--list", action="store_true", help="print the commands and run none")
    parser.add_argument("--keep", action="store_true", help=f"renew {RESULTS}/ afterwards")
    parser.add_argument("--go-on", action="store_true", help="run only what is not kept yet")
    return parser


def _begin_with_kept(example: Example, name: str) -> None:
    """Put what is kept of an experiment where it runs, unless something is there."""
    kept, place = example.results(name), _folder(example, name)
    if (kept / "plan.json").is_file() and not place.exists():
        shutil.copytree(kept, place)


def _folder(example: Example, name: str) -> Path:
    return example.folder / EXPERIMENTS / name


def _options(choice: argparse.Namespace) -> str:
    """Return what is handed on to `netdsl experiment run`, each word behind a space."""
    said = {name: getattr(choice, name) for name in ("budget", "jobs", "threads")}
    return "".join(
        f" --{name} {shlex.quote(str(value))}" for name, value in said.items() if value is not None
    )


def _lines(item: Item, options: str) -> list[str]:
    """Return the commands of an item, with these options where an experiment is run."""
    return [f"{line}{options}" if "experiment run" in line else line for line in item.commands]


def _typed(line: str, example: Example, item: Item) -> int:
    """Run a command of an item, a finished run of its experiment in the place of RUN."""
    if RUN not in line.split():
        return _run(line, example.folder)
    found = next(_finished(_folder(example, item.experiment), item.rows), None)
    if found is None:
        rows = ", ".join(item.rows)
        print(f"$ {typed(line)}")
        print(f"no run of {item.experiment} ({rows}) is finished here, with its weights")
        return 1
    return _run(line.replace(RUN, found.relative_to(example.folder).as_posix()), example.folder)


def _finished(experiment: Path, rows: tuple[str, ...]) -> Iterator[Path]:
    """Yield the folders of finished runs of these rows that have their weights."""
    from netdsl.experiment.report.results import only
    from netdsl.experiment.report.write import read_results

    if (experiment / "plan.json").is_file():
        for row in only(read_results(experiment), rows).rows:
            folders = (experiment / run.job.folder for run in row.finished)
            yield from (folder for folder in folders if (folder / "last.safetensors").is_file())


def _run(line: str, folder: Path) -> int:
    print(f"$ {typed(line)}", flush=True)
    program, *arguments = shlex.split(line)
    start = ["-m", "netdsl"] if program == "netdsl" else [program]
    return run_python([*start, *arguments], folder)


def _compare(example: Example, name: str) -> None:
    from compare import compared

    now, kept = _folder(example, name), example.results(name)
    if all((folder / "plan.json").is_file() for folder in (now, kept)):
        print(f"\n{name}, validation accuracy:")
        print("\n".join(compared(now, kept)))


def _keep(example: Example, name: str) -> int:
    from netdsl.experiment.report.write import read_results

    folder = _folder(example, name)
    if not (folder / "plan.json").is_file() or not read_results(folder).count("finished"):
        print(f"no run of {name} is finished: what is kept of it stays")
        return 0
    return _run(f"netdsl experiment export {name}.toml -o {RESULTS}/{name}", example.folder)


def _keep_files(example: Example, item: Item) -> None:
    """Keep the numbers and drawings of an item that no experiment has; pictures are not ours."""
    for name in (item.numbers, *item.figures):
        place = made(name) if name.startswith(f"{RESULTS}/") else None
        if place is None or not (example.folder / place).is_file():
            continue
        found, kept = example.folder / place, example.folder / Path(name).parent
        beside = [found] if place.parent == Path(EXPERIMENTS) else found.parent.iterdir()
        kept.mkdir(parents=True, exist_ok=True)
        for file in (file for file in beside if file.suffix in (".csv", ".svg")):
            shutil.copyfile(file, kept / file.name)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # `| head`
        sys.stdout = None  # which would be flushed at the end
        sys.exit(1)
