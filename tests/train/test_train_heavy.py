"""The twelve heavy transforms against Pillow and torchvision, image by image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance
from torch import Tensor
from torch.nn.functional import normalize
from torchvision.transforms.functional import gaussian_blur, pil_to_tensor

from netdsl.train import TrainError
from netdsl.train.transforms import TRANSFORMS, Transform, make, random_numbers
from netdsl.train.transforms.heavy import TWELVE, Heavy, choose, to_all, to_some

BILINEAR = Image.Resampling.BILINEAR
AFFINE, EXTENT = Image.Transform.AFFINE, Image.Transform.EXTENT
HEIGHT, WIDTH = 21, 30


def _smooth_rows(count: int, channels: int = 3) -> Tensor:
    """Return images with slopes and edges, as photographs have them."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (count, 5, 6, channels), np.uint8)
    large = [
        np.stack(
            [
                np.asarray(Image.fromarray(image[..., c]).resize((WIDTH, HEIGHT)))
                for c in range(channels)
            ],
            axis=2,
        )
        for image in small
    ]
    return torch.from_numpy(np.stack(large))


def _crop(image: Image.Image, u: list[float]) -> Image.Image:
    part = 0.75 + 0.25 * u[0]
    left, top = u[2] * (1 - part) * WIDTH, u[1] * (1 - part) * HEIGHT
    box = (left, top, left + part * WIDTH, top + part * HEIGHT)
    return image.transform(image.size, EXTENT, box, BILINEAR)


def _scale(image: Image.Image, u: list[float]) -> Image.Image:
    w, h = (side / (1 + 0.25 * (2 * u[0] - 1)) / 2 for side in (WIDTH, HEIGHT))
    x, y = WIDTH / 2, HEIGHT / 2
    return image.transform(image.size, EXTENT, (x - w, y - h, x + w, y + h), BILINEAR)


def _shift(image: Image.Image, u: list[float]) -> Image.Image:
    y, x = (0.15 * (2 * n - 1) for n in u)
    return image.transform(image.size, AFFINE, (1, 0, x * WIDTH, 0, 1, y * HEIGHT), BILINEAR)


def _rotate(image: Image.Image, u: list[float]) -> Image.Image:
    return image.rotate(20 * (2 * u[0] - 1), BILINEAR)


def _shear(image: Image.Image, u: list[float]) -> Image.Image:
    part = 0.25 * (2 * u[0] - 1)
    return image.transform(image.size, AFFINE, (1, part, -part * HEIGHT / 2, 0, 1, 0), BILINEAR)


def _flip(image: Image.Image, u: list[float]) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _erase(image: Image.Image, u: list[float]) -> Image.Image:
    side = int(u[0] * 0.4 * HEIGHT) + 1
    top, left = int(u[1] * (HEIGHT - side + 1)), int(u[2] * (WIDTH - side + 1))
    corner = (left + side - 1, top + side - 1)
    ImageDraw.Draw(image).rectangle((left, top, *corner), fill=(128, 128, 128))
    return image


def _blur(image: Image.Image, u: list[float]) -> Image.Image:
    blurred = gaussian_blur(pil_to_tensor(image), [5, 5], [0.4 + 0.6 * u[0]] * 2)
    return Image.fromarray(blurred.permute(1, 2, 0).numpy())


def _enhance(kind: type, most: float, image: Image.Image, u: list[float]) -> Image.Image:
    factor = np.float32(1) + np.float32(most) * (np.float32(2) * np.float32(u[0]) - np.float32(1))
    return kind(image).enhance(float(factor))


REFERENCES = {
    "flip p=1": _flip,
    "crop": _crop,
    "scale": _scale,
    "shift": _shift,
    "rotate": _rotate,
    "shear": _shear,
    "brightness": lambda image, u: _enhance(ImageEnhance.Brightness, 0.4, image, u),
    "contrast": lambda image, u: _enhance(ImageEnhance.Contrast, 0.5, image, u),
    "colour": lambda image, u: _enhance(ImageEnhance.Color, 0.8, image, u),
    "sharpness": lambda image, u: _enhance(ImageEnhance.Sharpness, 1.0, image, u),
    "blur": _blur,
    "erase": _erase,
}
EXACT = ("flip p=1", "brightness", "contrast", "colour", "sharpness", "erase")


def _both(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    transform, rows = make(text), _smooth_rows(60)
    numbers = random_numbers(3, 1, 1, 60, transform.draws)
    expected = [
        np.asarray(REFERENCES[text](Image.fromarray(image), u))
        for image, u in zip(rows.numpy(), numbers.tolist(), strict=True)
    ]
    return transform(rows, numbers).numpy().astype(int), np.stack(expected).astype(int)


@pytest.mark.parametrize("text", EXACT)
def test_a_transform_equals_pillow_bit_for_bit(text: str) -> None:
    found, expected = _both(text)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("text", [text for text in REFERENCES if text not in EXACT])
def test_a_transform_that_interpolates_is_the_reference_to_one_grey_level(text: str) -> None:
    found, expected = _both(text)
    assert np.abs(found - expected).max() <= 1
    assert (found == expected).mean() > 0.99


def test_every_one_of_the_twelve_has_a_reference() -> None:
    assert {type(make(text)) for text in REFERENCES} == {type(one) for one in TWELVE}
    assert len(TWELVE) == 12


@pytest.mark.parametrize("transform", TWELVE)
def test_each_of_the_twelve_changes_nearly_every_image(transform: Transform) -> None:
    rows = _smooth_rows(60)
    changed = transform(rows, random_numbers(0, 1, 1, 60, transform.draws)) != rows
    assert changed.flatten(1).any(1).float().mean() > 0.9


@pytest.mark.parametrize("transform", TWELVE)
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_images_of_any_channels_can_be_transformed(transform: Transform, channels: int) -> None:
    rows = _smooth_rows(9, channels)
    out = transform(rows, random_numbers(0, 1, 1, 9, transform.draws))
    assert (out.shape, out.dtype, out.is_contiguous()) == (rows.shape, torch.uint8, True)


def test_greys_have_no_colour_to_lose() -> None:
    rows = _smooth_rows(20, 1)
    assert torch.equal(make("colour")(rows, torch.rand(20, 1)), rows)


@pytest.mark.parametrize("k", [1, 3, 12])
def test_heavy_is_its_chosen_transforms_one_after_the_other(k: int) -> None:
    heavy, rows = Heavy(k), _smooth_rows(40)
    before, numbers = rows.clone(), random_numbers(5, 1, 1, 40, heavy.draws)
    expected = []
    for image, line in zip(rows, numbers, strict=True):
        chosen = sorted(range(12), key=lambda i, keys=line: float(keys[i]))[:k]
        one, at = image[None], 12
        for i, transform in enumerate(TWELVE):
            if i in chosen:
                one = transform(one, line[None, at : at + transform.draws])
            at += transform.draws
        expected.append(one)
    assert torch.equal(heavy(rows, numbers), torch.cat(expected))
    assert torch.equal(rows, before)


def test_every_transform_is_chosen_equally_often() -> None:
    share = choose(random_numbers(0, 1, 1, 6000, 12), 3).double()
    assert (share.sum(1) == 3).all()
    assert share.mean(0).tolist() == pytest.approx([0.25] * 12, abs=0.02)


def test_heavy_images_resemble_their_originals_more_than_others() -> None:
    """Correlated, mirrored or not, with 100 images: nearly all find their own original."""
    small = np.random.default_rng(1).integers(0, 256, (100, 4, 4, 3), np.uint8)
    large = [np.asarray(Image.fromarray(image).resize((32, 32), BILINEAR)) for image in small]
    rows, heavy = torch.from_numpy(np.stack(large)), make("heavy k=3")
    out = heavy(rows, random_numbers(0, 1, 1, 100, heavy.draws))
    alike = [_standardised(turned) @ _standardised(rows).T for turned in (out, out.flip(2))]
    found = torch.maximum(*alike).argmax(1)
    assert (found == torch.arange(100)).float().mean() >= 0.95


def _standardised(rows: Tensor) -> Tensor:
    flat = rows.double().flatten(1)
    return normalize(flat - flat.mean(1, keepdim=True))


def test_any_transform_can_be_applied_to_a_part_of_the_images() -> None:
    rows, transform = _smooth_rows(60), make("rotate most=30 p=0.25")
    numbers = random_numbers(0, 1, 1, 60, transform.draws)
    chosen = numbers[:, 0] < 0.25
    out = transform(rows, numbers)
    assert 0 < chosen.sum() < 60
    assert torch.equal(out[~chosen], rows[~chosen])
    assert torch.equal(out[chosen], make("rotate most=30")(rows, numbers[:, 1:])[chosen])


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("flop", "'flop' is not a transform", "did you mean flip?"),
        ("rotate most=10 most=20", "rotate is given most twice", None),
        ("", "'' is not a transform", f"transforms: {', '.join(TRANSFORMS)}"),
        ("pad_crop pading=2", "pad_crop has no option 'pading=2'", "did you mean padding?"),
        ("flip 0.5", "flip has no option '0.5'", "options of flip: p"),
        ("heavy k=two", "k of heavy is 'two', but must be a whole number", None),
        ("heavy k=0", "k of heavy is 0, but must lie between 1 and 12", None),
        ("heavy k=13", "k of heavy is 13, but must lie between 1 and 12", None),
        ("flip p=1.5", "p of flip is 1.5, but must be between 0 and 1", None),
        ("shift most=15", "most of shift is 15, but must be between 0 and 1", None),
        ("scale most=1", "most of scale is 1, but must be 0 or more and below 1", None),
        ("scale most=nan", "most of scale is nan, but must be 0 or more and below 1", None),
        ("shear most=20", "most of shear is 20, but must be between 0 and 1", None),
        ("rotate most=181", "most of rotate is 181, but must be between 0 and 180", None),
        ("erase most=1.1", "most of erase is 1.1, but must be between 0 and 1", None),
        ("contrast most=2", "most of contrast is 2, but must be between 0 and 1", None),
        ("blur most=nan", "most of blur is nan, but must be 0 or more, up to 1024", None),
    ],
)
def test_a_transform_that_is_not_one_is_refused(text: str, message: str, help: str | None) -> None:
    with pytest.raises(TrainError) as caught:
        make(text)
    assert (str(caught.value), caught.value.help) == (message, help)


@pytest.mark.parametrize("name", [*REFERENCES][1:])
def test_a_transform_takes_the_most_that_it_can_mean(name: str) -> None:
    option = "least=0" if name == "crop" else "most=0.99" if name == "scale" else "most=1"
    rows, transform = _smooth_rows(60), make(f"{name} {option}")
    out = transform(rows, random_numbers(0, 1, 1, 60, transform.draws))
    assert (out.flatten(1).float().std(1) > 0).sum() > 50


def test_a_gpu_that_waits_for_no_count_gets_the_same_images() -> None:
    rows = torch.randint(0, 256, (17, 12, 10, 3), dtype=torch.uint8)
    chosen = torch.rand(17) < 0.5
    for transform in TWELVE:
        numbers = torch.rand(17, transform.draws)
        some = to_some(transform, rows.clone(), numbers, chosen)
        assert torch.equal(some, to_all(transform, rows, numbers, chosen)), transform
