"""`netdsl evaluate`: a run read back, and its accuracy measured again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("evaluate")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--weights", type=click.Choice(["best", "last"]), default="best", show_default=True,
              help="Which weights of the run.")  # fmt: skip
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the data set lies now.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(run: Path, weights: str, data_dir: Path | None, as_json: bool) -> None:
    """Evaluate the network of a RUN folder on the validation images that it was trained with."""
    import json

    from netdsl import train
    from netdsl.api import build, make_overrides
    from netdsl.cli.train import load_images
    from netdsl.shelf import read_bytes

    folder = train.RunFolder.open(run)
    asked: Any = folder.asked
    names = {k: tuple(v) if isinstance(v, list) else v for k, v in asked["overrides"].items()}
    said = make_overrides(None, None, None, asked["scale"], names)
    source = read_bytes(folder.network.encode(), str(run / "network.arch"))
    network = build(*source.with_overrides(said))
    place = data_dir or (Path(asked["data_dir"]) if asked["data_dir"] else None)
    images = load_images(asked["data"], place)
    model = network.module()
    path = folder.best if weights == "best" else folder.last
    train.load_weights(model, path)
    result = train.evaluate(model, images, folder.settings)
    if as_json:
        click.echo(json.dumps({
            "run": str(run), "weights": weights, "loss": result.loss,
            "accuracy": result.accuracy, "images": result.n,
        }))  # fmt: skip
    else:
        click.echo(
            f"{run}: {weights} weights, {result.accuracy:.2%} of {result.n:,} validation images, "
            f"loss {result.loss:.4f}"
        )
