"""A name or a folder to a checked data set of uint8 images; one entry is one data set."""

from netdsl.train.data.bring import bring as bring
from netdsl.train.data.dataset import DataSet as DataSet
from netdsl.train.data.dataset import Entry as Entry
from netdsl.train.data.dataset import Listing as Listing
from netdsl.train.data.dataset import Split as Split
from netdsl.train.data.info import Info as Info
from netdsl.train.data.info import describe as describe
from netdsl.train.data.kept import Kept as Kept
from netdsl.train.data.kept import kept_images as kept_images
from netdsl.train.data.kept import remove as remove
from netdsl.train.data.load import DATA_SETS as DATA_SETS
from netdsl.train.data.load import list_images as list_images
from netdsl.train.data.load import load as load
from netdsl.train.data.place import data_folder as data_folder
from netdsl.train.data.sheet import draw_sheet as draw_sheet
