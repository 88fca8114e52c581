"""Batched augmentation against Pillow and numpy, image by image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from netdsl.train import TrainError
from netdsl.train.transforms import (
    CropRescale,
    Flip,
    PadCrop,
    Transform,
    random_numbers,
    rescale_floats,
    windows,
)

BILINEAR = Image.Resampling.BILINEAR


def _rows(count: int, height: int, width: int, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    shape = (count, height, width, channels)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def _numbers(transform: Transform, count: int) -> Tensor:
    return random_numbers(7, 1, 1, count, transform.draws)


def test_flip_mirrors_the_images_whose_number_is_below_p() -> None:
    rows, numbers = _rows(40, 6, 9), _numbers(Flip(), 40)
    mirrored = numbers[:, 0] < 0.5
    expected = [
        np.asarray(Image.fromarray(image).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        if flip
        else image
        for image, flip in zip(rows.numpy(), mirrored, strict=True)
    ]
    assert 0 < mirrored.sum() < 40
    assert np.array_equal(Flip()(rows, numbers), np.stack(expected))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (32, 32), (24, 40), (8, 8)])
def test_crop_and_rescale_equals_pillow_bit_for_bit(height: int, width: int) -> None:
    rows, numbers = _rows(40, height, width), _numbers(CropRescale(), 40)
    h, w = height * 7 // 8, width * 7 // 8
    expected = rows.numpy().copy()
    for image, (chance, y, x) in zip(expected, numbers.tolist(), strict=True):
        top, left = int(y * (height - h + 1)), int(x * (width - w + 1))
        cut = Image.fromarray(image).crop((left, top, left + w, top + h))
        if chance < 0.7:
            image[:] = np.asarray(cut.resize((width, height), BILINEAR))
    assert np.array_equal(CropRescale()(rows, numbers), expected)


def test_crop_and_rescale_of_other_sizes_is_pillow_to_one_level() -> None:
    rows = _rows(20, 17, 19)
    out = CropRescale(p=1.0)(rows, torch.zeros(20, 3))
    cut = [Image.fromarray(image[:14, :16]).resize((19, 17), BILINEAR) for image in rows.numpy()]
    assert np.abs(out.numpy().astype(int) - np.stack(cut).astype(int)).max() <= 1


def test_rescaling_in_floats_equals_pillow_bit_for_bit() -> None:
    rows = _rows(20, 56, 56)
    expected = [
        np.asarray(Image.fromarray(image).resize((64, 64), BILINEAR)) for image in rows.numpy()
    ]
    images = rescale_floats(rows.permute(0, 3, 1, 2).float(), 64, 64)
    assert np.array_equal(images.permute(0, 2, 3, 1), np.stack(expected))


def test_grey_images_are_rescaled_like_colour_ones() -> None:
    rows, numbers = _rows(20, 16, 16, 1), torch.zeros(20, 3)
    colour = CropRescale()(rows.expand(-1, -1, -1, 3).contiguous(), numbers)
    assert torch.equal(CropRescale()(rows, numbers), colour[..., :1])


def test_pad_and_crop_shifts_into_black() -> None:
    rows, numbers = _rows(30, 6, 9), _numbers(PadCrop(2), 30)
    expected = [
        np.pad(image, ((2, 2), (2, 2), (0, 0)))[int(y * 5) :, int(x * 5) :][:6, :9]
        for image, (y, x) in zip(rows.numpy(), numbers.tolist(), strict=True)
    ]
    assert np.array_equal(PadCrop(2)(rows, numbers), np.stack(expected))


def test_windows_reach_every_corner() -> None:
    rows = _rows(4, 5, 7, 2)
    top, left = torch.tensor([0, 0, 3, 3]), torch.tensor([0, 4, 0, 4])
    out = windows(rows, top, left, 2, 3)
    corners = [rows[0, :2, :3], rows[1, :2, 4:], rows[2, 3:, :3], rows[3, 3:, 4:]]
    assert torch.equal(out, torch.stack(corners))


def test_a_window_of_56_pixels_is_seven_eighths_of_64() -> None:
    rows, numbers = _rows(40, 64, 64), _numbers(CropRescale(), 40)
    assert torch.equal(CropRescale(size=56)(rows, numbers), CropRescale()(rows, numbers))


def test_a_window_larger_than_the_images_is_refused() -> None:
    with pytest.raises(TrainError) as caught:
        CropRescale(size=56)(_rows(2, 64, 32), torch.zeros(2, 3))
    assert str(caught.value) == "a window of 56×56 pixels does not fit into images of 64×32"
    assert caught.value.help == "a smaller size, or 0 for seven eighths of each side"


@pytest.mark.parametrize("transform", [Flip(), CropRescale(), PadCrop()])
def test_an_image_is_treated_alike_in_any_batch(transform: Transform) -> None:
    rows, numbers = _rows(50, 16, 24), _numbers(transform, 50)
    some = torch.tensor([31, 4, 17])
    assert torch.equal(transform(rows[some], numbers[some]), transform(rows, numbers)[some])


def test_random_numbers_differ_by_seed_epoch_and_stream() -> None:
    drawn = [random_numbers(*key, 8, 2) for key in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))]
    assert len({tuple(numbers.flatten().tolist()) for numbers in drawn}) == 4


def test_probabilities_are_met() -> None:
    rows, numbers = _rows(1, 8, 8).expand(4000, -1, -1, -1).contiguous(), None
    for transform, part in ((Flip(), 0.5), (CropRescale(), 0.7)):
        numbers = random_numbers(0, 1, 1, 4000, transform.draws)
        changed = (transform(rows, numbers) != rows).flatten(1).any(1).double().mean()
        assert changed.item() == pytest.approx(part, abs=0.03)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (16, 1)])
def test_seven_eighths_of_a_pixel_are_a_pixel(height: int, width: int) -> None:
    rows = _rows(20, height, width)
    out = CropRescale(p=1.0)(rows, torch.zeros(20, 3))
    cut = rows[:, : max(1, height * 7 // 8), : max(1, width * 7 // 8)].numpy()
    expected = [np.asarray(Image.fromarray(one).resize((width, height), BILINEAR)) for one in cut]
    assert np.abs(out.numpy().astype(int) - np.stack(expected).astype(int)).max() <= 1
