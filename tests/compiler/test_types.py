"""What mypy makes of code that uses netdsl."""

import re
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OF_TORCH = "# mypy: disable-error-code=no-untyped-call\n"  # `backward` says no types
USE = """
import netdsl
import torch
from netdsl.train import predict

model = netdsl.load("digits").module()
images = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
reveal_type(model(images))
reveal_type(predict(model, images, mean=[0.5], std=[0.5]))
reveal_type(netdsl.train.resolve())
reveal_type(netdsl.__version__)
netdsl.load("digits", input=[1, 8, 8])
netdsl.laod("digits")
"""


@pytest.mark.slow
def test_code_that_uses_it_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "use.py"
    file.write_text(USE)
    said, _, _ = api.run(["--strict", str(file)])
    assert re.findall(r"(?:: error: |is )(.*)", said) == [
        '"torch._tensor.Tensor"',
        '"torch._tensor.Tensor"',
        '"netdsl.train.settings.Settings"',
        '"str"',
        'Module has no attribute "laod"  [attr-defined]',
    ]


@pytest.mark.slow
def test_the_python_of_the_manual_has_types(tmp_path: Path) -> None:
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.S | re.M)
    ]
    for number, block in enumerate(blocks):
        (tmp_path / f"example_{number}.py").write_text(OF_TORCH + block)
    said, _, status = api.run(["--strict", *map(str, tmp_path.glob("*.py"))])
    assert (status, said) == (0, f"Success: no issues found in {len(blocks)} source files\n")
