"""`netdsl evaluate`: a run read back, and its accuracy measured again."""

from __future__ import annotations

from pathlib import Path

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
    from netdsl.cli.allocator import keep_memory
    from netdsl.cli.resume import reopen

    keep_memory()
    folder = train.RunFolder.open(run)
    network, images = reopen(folder, data_dir)
    model = network.module()
    path = folder.best if weights == "best" else folder.last
    train.load_weights(model, path)
    result = train.evaluate(model, images, folder.settings)
    if as_json:
        click.echo(json.dumps({
            "run": str(run), "weights": weights, "loss": result.loss,
            "accuracy": result.accuracy, "top5": result.top5, "images": result.n,
        }))  # fmt: skip
    else:
        click.echo(
            f"{run}: {weights} weights, {result.accuracy:.2%} of {result.n:,} validation images, "
            f"{result.top5:.2%} among five, loss {result.loss:.4f}"
        )
