"""uint8 images and random numbers to augmented uint8 images, a batch at a time."""

from netdsl.train.transforms.catalogue import TRANSFORMS as TRANSFORMS
from netdsl.train.transforms.catalogue import make as make
from netdsl.train.transforms.pixels import rescale as rescale
from netdsl.train.transforms.pixels import rescale_floats as rescale_floats
from netdsl.train.transforms.pixels import windows as windows
from netdsl.train.transforms.simple import CropRescale as CropRescale
from netdsl.train.transforms.simple import Flip as Flip
from netdsl.train.transforms.simple import PadCrop as PadCrop
from netdsl.train.transforms.transform import Transform as Transform
from netdsl.train.transforms.transform import random_numbers as random_numbers
from netdsl.train.transforms.transform import random_order as random_order
