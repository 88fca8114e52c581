"""Narrow strided convolutions of 1x1, kept from a kernel that gets their gradient wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeGuard

from torch import Tensor, nn

_BLOCK = 16  # channels that the kernel works on at once; 8 without AVX-512


@contextmanager
def narrow_convolutions(model: nn.Module, device: str) -> Iterator[None]:
    """Hand contiguous maps to the endangered convolutions of a network meanwhile, on a CPU.

    Where the channels come last and are fewer than a block, the gradient of their weights is
    written behind its memory: wrong numbers, or the end of the process
    (https://github.com/uxlfoundation/oneDNN/issues/6035, seen with oneDNN 3.12 of torch 2.14).
    """
    with ExitStack() as held:
        for module in model.modules():
            if device == "cpu" and is_endangered(module):
                # NOTE: with a single position the order in memory is the same, and torch goes by
                # the strides of the weights too.
                module.weight.data = module.weight.data.flatten().view(module.weight.shape)
                held.callback(module.register_forward_pre_hook(_contiguous).remove)
        yield


def is_endangered(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Say whether a module is a convolution that the kernel may get wrong.

    >>> [is_endangered(nn.Conv2d(n, 32, k, stride=s)) for n, k, s in ((3, 1, 2), (3, 1, 1),
    ...                                                               (3, 3, 2), (16, 1, 2))]
    [True, False, False, False]
    """
    if not isinstance(module, nn.Conv2d) or module.kernel_size != (1, 1):
        return False
    return max(module.stride) > 1 and module.in_channels // module.groups < _BLOCK


def _contiguous(module: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    first, *others = arguments
    return (first.contiguous(), *others)
