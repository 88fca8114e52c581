"""What torch, Keras and papers call layers and options, to what they are called here."""

from __future__ import annotations

import re
from collections.abc import Container

# Options that have one letter here.
TORCH_NAMES = {
    "kernel_size": "k", "kernel": "k", "stride": "s", "padding": "p", "pad": "p",
    "dilation": "d", "groups": "g",
}  # fmt: skip

# Settings of networks as others call them.
SETTINGS_HERE = {
    "activation": "act", "nonlinearity": "act", "normalization": "norm", "normalisation": "norm",
    "num_classes": "classes", "input_shape": "input", "input_size": "input", "image_size": "input",
    "stochastic_depth": "drop_path",
}  # fmt: skip
# What is said of a training, and not of a network.
OF_TRAINING = (
    "batch_size", "epochs", "label_smoothing", "lr", "mixup", "momentum", "nesterov", "optimiser",
    "schedule", "seed", "warmup", "weight_decay",
)  # fmt: skip
# Words of sentences about layers, and of other libraries: nobody calls a parameter so.
PROSE = frozenset((
    "a", "an", "and", "as", "by", "dw", "each", "filter", "filters", "followed", "for", "from",
    "in", "kernel", "kernels", "layer", "layers", "of", "on", "or", "same", "stride", "the", "then",
    "times", "to", "units", "valid", "with", "without",
))  # fmt: skip

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
    "Max": ("MaxPool", "MaxPooling", "MP"),
    "Avg": ("AvgPool", "AveragePool", "AveragePooling", "AP"),
    "AvgTo": ("AdaptiveAvgPool", "AdaptiveAveragePool"),
    'Torch "nn.AdaptiveMaxPool2d" 1': (
        "GMP",
        "GlobalMax",
        "GlobalMaxPool",
        "GlobalMaxPooling",
        "AdaptiveMaxPool",
    ),
    "GAP": ("GlobalAvg", "GlobalAvgPool", "GlobalAveragePool", "GlobalAveragePooling"),
    "Conv": ("Convolution",),
    # Of a name that stands before a number, this is the number in place of the 64.
    "Conv 64 1x1": ("PointwiseConv", "Pointwise", "PWConv"),
    "Conv 64 d2": ("DilatedConv", "AtrousConv"),
    "Conv 64 g2": ("GroupConv", "GroupedConv"),
    "Flatten": ("View", "Reshape"),
    "Part": ("Split", "Slice", "Chunk"),
    'Torch "nn.ZeroPad2d" 1': ("Pad", "Padding"),
    "DWConv bias=off norm=none act=none  Conv 64 1x1": ("SepConv", "SeparableConv"),
    "DWConv Conv 64 1x1": ("DepthwiseSeparableConv",),
    "FC classes": ("Output", "Classifier", "Logits", "Predictions"),
    'Torch "nn.LocalResponseNorm" 5': ("LRN", "LocalResponseNorm", "ResponseNorm"),
    "Deconv": (
        "ConvT",
        "ConvTranspose",
        "TConv",
        "TransposedConv",
        "Deconvolution",
    ),
    "Deconv 64 s2": ("UpConv",),
    "DWConv": ("DepthwiseConv", "Depthwise", "DW"),
    "Up": ("Upsample", "Upsampling", "Interpolate", "Resize"),
    "BB": ("BasicBlock", "ResBlock", "ResidualBlock", "BasicResBlock"),
    "Bott": ("Bottleneck", "BottleneckBlock"),
    "SE": ("SEBlock", "SELayer", "SqueezeExcitation", "SqueezeExcite"),
    "Shuffle": ("ChannelShuffle",),
    "Res": ("Residual", "Shortcut", "Skip"),
    "Add": ("Sum", "Plus"),
    "Cat": ("Concat", "Concatenate", "Stack"),
    "Mul": ("Multiply", "Product", "Gate"),
}
# Layers that are classes of torch.nn, and have no name of their own here.
_OF_TORCH = (
    "AlphaDropout", "CELU", "Dropout2d", "GLU", "Hardshrink", "Hardsigmoid", "Hardtanh",
    "InstanceNorm2d", "LPPool2d", "LogSigmoid", "Mish", "PReLU", "PixelShuffle", "PixelUnshuffle",
    "RMSNorm", "RReLU", "ReflectionPad2d", "ReplicationPad2d", "SELU", "Softmax2d", "Softplus",
    "Softshrink", "Softsign", "Tanhshrink", "Threshold", "ZeroPad2d",
)  # fmt: skip
_NUMBERS = {  # without which some of them cannot be
    "InstanceNorm2d": " 64", "LPPool2d": " 2 2", "PixelShuffle": " 2", "PixelUnshuffle": " 2",
    "ReflectionPad2d": " 1", "ReplicationPad2d": " 1", "Threshold": " 0 0",
}  # fmt: skip
_NOT_BARE = ("Dropout2d", "Softmax2d")  # which mean something else without the 2d
# Networks that come along, and the blocks that their files define.
SHOWN_BY = {
    "convnext_tiny": ("ConvNeXt", "ConvNeXtBlock", "CNBlock"),
    "densenet121": ("DenseBlock", "DenseLayer", "Transition", "TransitionLayer"),
    "efficientnet_b0": ("MBConv", "MBConvBlock"),
    "efficientnet_v2_s": ("FusedMBConv", "FusedMBConvBlock"),
    "googlenet": ("Inception", "InceptionModule", "InceptionBlock"),
    "mobilenet_v2": ("InvertedResidual", "InvertedBottleneck", "LinearBottleneck"),
    "shufflenet_v2_x1_0": ("ShuffleUnit", "ShuffleBlock"),
    "squeezenet1_1": ("Fire", "FireModule"),
}
# What is no layer here, and how it is had.
_HELP = {
    **{
        f"write it as a block of your own, by `def`: `netdsl fmt {network}` shows how": names
        for network, names in SHOWN_BY.items()
    },
    "write it as a block of your own in the header: `def Stem(c) { Conv c  Max 2 }`": (
        "Block", "Cell", "Head", "Module", "Stage", "Stem", "Unit",
    ),
    "norm and activation before each convolution are an option of blocks: `BB 64 pre`": (
        "PreAct", "PreActBlock", "PreActBottleneck", "PreActResBlock",
    ),
    "networks here are convolutional; `SE` and `Mul( | … )` gate channels and positions": (
        "Attention", "CBAM", "ECA", "MultiheadAttention", "SelfAttention", "Transformer",
    ),
    "write it as an option of blocks: `BB 64 drop_path=0.1`": ("DropPath", "StochasticDepth"),
    "leave it away: it changes nothing": ("Identity", "Noop"),
    "there are no standardised weights here; without them it is `Conv 64`": (
        "ScaledStdConv", "StdConv", "WSConv", "WeightStandardizedConv",
    ),
    "there is no such layer here; a class of torch.nn is written `Torch \"nn.…\"`": (
        "CondConv", "CoordConv", "DeformConv", "DropBlock", "GhostConv", "Highway", "LSTM",
        "Maxout", "SNConv", "WNConv",
    ),
    "write `Max 2` or `Avg 2`, and over the whole map `GAP`": (
        "Pool", "Pooling", "GlobalPool", "GlobalPooling",
    ),
}  # fmt: skip
_CHOICES = {
    "norm": ("batch", "group", "layer", "none"), "init": ("kaiming", "xavier"),
    "shortcut": ("pad", "project", "avgproject", "always"), "head": ("flatten", "gap"),
    "bias": ("auto", "on", "off", "true", "false"), "residual": ("on", "off", "true", "false"),
}  # fmt: skip
_VALUES = {
    "batch": ("bn", "batchnorm", "batch_norm"),
    "group": ("gn", "groupnorm", "group_norm"),
    "layer": ("ln", "layernorm", "layer_norm"),
    "silu": ("swish",),
    "hardswish": ("hswish", "hard_swish", "h_swish"),
    "leaky_relu": ("lrelu", "leakyrelu", "leaky"),
    "kaiming": ("he", "he_normal", "kaiming_normal", "msra"),
    "xavier": ("glorot", "glorot_normal", "xavier_normal"),
    "pad": ("a", "zero", "zeros", "zeropad", "zero_pad", "padding"),
    "project": ("b", "conv", "projection", "1x1"),
    "avgproject": ("d", "avg_down", "avgdown", "avg_project"),
    "always": ("c",),
    "none": ("linear", "identity"),
}  # fmt: skip
FOUR_TIMES = "the number is what comes out, four times the one of torch"
_NOTHING = ("none", "off")  # of which an option has one at most
_DENIALS = (*_NOTHING, "no", "false", "0")
_LAYERS |= {
    f'Torch "nn.{name}"{_NUMBERS.get(name, "")}': (
        (name,) if name in _NOT_BARE else (name, name.removesuffix("2d"))
    )
    for name in _OF_TORCH
}
_HELPED = {name.lower(): help for help, names in _HELP.items() for name in names}
_MEANT_VALUES = {name: ours for ours, names in _VALUES.items() for name in names}
_MEANT = {name.lower(): ours for ours, names in _LAYERS.items() for name in names}
_SPELT = {name.lower(): name for names in _LAYERS.values() for name in names}


def layer_here(name: str) -> str | None:
    """Return what a layer of another library is called here, letter case aside.

    >>> layer_here("BatchNorm"), layer_here("relu"), layer_here("Conv")
    ('Norm', 'Act relu', None)
    """
    return _MEANT.get(name.lower())


def spelt(name: str) -> str | None:
    """Return a layer of another library in its own letters, letter case aside.

    >>> spelt("relu"), spelt("Dense"), spelt("conv")
    ('ReLU', 'Dense', None)
    """
    return _SPELT.get(name.lower())


def layer_with(name: str, number: str) -> str | None:
    """Return a layer of another library with the number behind its name, where that has a place.

    >>> layer_with("PWConv", "64"), layer_with("Bottleneck", "64"), layer_with("ReLU", "3")
    ('Conv 64 1x1', 'Bott 256', None)
    """
    meant = layer_here(name) or ""
    if meant == "Bott":
        return f"Bott {4 * int(number)}"
    here, places = re.subn(r"\b64\b|\bclasses\b", number, meant)
    return here if places else None


def names_of(*layers: str) -> list[str]:
    """Return what other libraries call some layers.

    >>> names_of("Flatten")
    ['View', 'Reshape']
    """
    return [name for ours, names in _LAYERS.items() if ours.split()[0] in layers for name in names]


def act_here(name: str) -> str | None:
    """Return what an activation of another library is called as an option.

    >>> act_here("swish"), act_here("relu"), act_here("selu")
    ('silu', 'relu', None)
    """
    meant = _MEANT_VALUES.get(name, name)
    return meant if f"Act {meant}" in _LAYERS else None


def numbers_here(name: str) -> str | None:
    """Return what the number of a layer is here, where another one is written elsewhere."""
    return FOUR_TIMES if layer_here(name) == "Bott" else None


def help_for(name: str) -> str | None:
    """Return how that is had here which is no layer, as a dropped branch.

    >>> help_for("MultiheadAttention") == help_for("Attention"), help_for("Conv2d")
    (True, None)
    """
    return _HELPED.get(re.sub(r"[123]d\Z", "", name.lower()))


def setting_here(key: str, value: str) -> str | None:
    """Return what a value with a capital is called behind a setting, or as an option of its name.

    >>> setting_here("norm", "BatchNorm2d"), setting_here("act", "Elu"), setting_here("act", "None")
    ('batch', 'elu', 'none')
    """
    value = re.sub("[123][dD]$", "", value)
    if key == "act":
        meant = (layer_here(value) or "").split()
        return meant[1] if meant[:1] == ["Act"] and meant[1:] else value_here(value, ("none",))
    return value_here(value, _CHOICES.get(key, ()))


def value_here(word: str, choices: Container[str]) -> str | None:
    """Return what the value of an option or a setting is called here, letter case aside.

    >>> value_here("Swish", ("relu", "silu")), value_here("ReLU", ("relu",)), value_here("bn", ())
    ('silu', 'relu', None)
    >>> value_here("none", ("on", "off")), value_here("False", ("batch", "none"))
    ('off', 'none')
    """
    own = word.lower()
    nothing = _NOTHING if own in _DENIALS else ()
    return next(
        (one for one in (own, _MEANT_VALUES.get(own, ""), *nothing) if one in choices), None
    )
