"""What torch, Keras and papers call layers and options, to what they are called here."""

from __future__ import annotations

# Options that have one letter here.
TORCH_NAMES = {
    "kernel_size": "k", "kernel": "k", "stride": "s", "padding": "p", "pad": "p",
    "dilation": "d", "groups": "g",
}  # fmt: skip

_LAYERS = {
    "Act gelu": ("GELU",),
    "Act relu": ("ReLU",),
    "Act relu6": ("ReLU6",),
    "Act silu": ("SiLU", "Swish"),
    "Act hardswish": ("Hardswish", "HSwish"),
    "Act leaky_relu": ("LeakyReLU", "LReLU"),
    "Act elu": ("ELU",),
    "Act sigmoid": ("Sigmoid",),
    "Act tanh": ("Tanh",),
    "Act": ("Activation", "NonLinearity"),
    "Norm": ("BN", "BatchNorm", "BatchNormalization", "Normalization"),
    "Norm layer": ("LN", "LayerNorm", "LayerNormalization"),
    "Norm group": ("GN", "GroupNorm", "GroupNormalization"),
    "FC": ("Linear", "Dense", "FullyConnected"),
    "Max": ("MaxPool", "MaxPooling"),
    "Avg": ("AvgPool", "AveragePool", "AveragePooling"),
    "AvgTo": ("AdaptiveAvgPool", "AdaptiveAveragePool"),
    "GAP": ("GlobalAvgPool", "GlobalAveragePool", "GlobalAveragePooling"),
    "Conv": ("Convolution",),
    "Deconv": ("ConvTranspose", "TransposedConv", "Deconvolution", "UpConv"),
    "DWConv": ("DepthwiseConv", "Depthwise"),
    "Up": ("Upsample", "Upsampling", "Interpolate"),
    "BB": ("BasicBlock", "ResBlock", "ResidualBlock", "BasicResBlock"),
    "Bott": ("Bottleneck", "BottleneckBlock"),
    "SE": ("SEBlock", "SELayer", "SqueezeExcitation", "SqueezeExcite"),
    "Shuffle": ("ChannelShuffle",),
    "Res": ("Residual", "Shortcut", "Skip"),
    "Add": ("Sum", "Plus"),
    "Cat": ("Concat", "Concatenate", "Stack"),
}
_MEANT = {name.lower(): ours for ours, names in _LAYERS.items() for name in names}


def layer_here(name: str) -> str | None:
    """Return what a layer of another library is called here, letter case aside.

    >>> layer_here("BatchNorm"), layer_here("relu"), layer_here("Conv")
    ('Norm', 'Act relu', None)
    """
    return _MEANT.get(name.lower())
