"""Mean and deviation of images, reckoned from all of their pixels at once."""

import numpy as np
from torch import Tensor


def channel_statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and std of the pixels in 0 … 1, over all uint8 images (N, C, H, W) at once.

    A channel that never changes has the std of one grey level.
    """
    pixels = images.double().div(255).transpose(0, 1).flatten(1)
    mean, std = pixels.mean(1).numpy(), pixels.std(1, correction=0).numpy()
    return tuple(mean.tolist()), tuple(np.maximum(std, 1 / 255).tolist())
