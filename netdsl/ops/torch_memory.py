"""What layers of torch.nn keep for the backward pass, by their names; all others their input."""

from __future__ import annotations

from collections.abc import Mapping

from netdsl.ir import Keeps

SOFTMAXES = ("Softmax", "LogSoftmax", "Softmin")
# These keep their output alone if they overwrite their input.
OVERWRITING = ("ReLU", "LeakyReLU", "ELU", "CELU", "SELU")
FROM_OUTPUT = ("ReLU", "Sigmoid", "Tanh", "Softmax2d", *SOFTMAXES)
MASKING = ("Dropout", "AlphaDropout")  # those that drop whole channels have a small mask
VIEWS = ("Identity", "Flatten")  # what they give lies where they read it
FREE = (
    *VIEWS, "ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "ZeroPad2d", "ConstantPad2d",
    "CircularPad2d", "Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d", "Dropout2d",
    "FeatureAlphaDropout",
)  # fmt: skip
KEEPS: Mapping[str, Keeps] = {
    **dict.fromkeys(FROM_OUTPUT, "output"),
    **dict.fromkeys(MASKING, "mask"),
    **dict.fromkeys(FREE, "nothing"),
}
