"""A name or a folder to a checked data set of uint8 images; one entry is one data set."""

from netdsl.train.data.dataset import DataSet as DataSet
from netdsl.train.data.dataset import Entry as Entry
from netdsl.train.data.dataset import Listing as Listing
from netdsl.train.data.dataset import Split as Split
from netdsl.train.data.load import DATA_SETS as DATA_SETS
from netdsl.train.data.load import load as load
