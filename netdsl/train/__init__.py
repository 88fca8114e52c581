"""Any `nn.Module` and a data set to trained weights and a run folder; knows no language."""

from netdsl.train.data import DATA_SETS as DATA_SETS
from netdsl.train.data import DataSet as DataSet
from netdsl.train.data import load as load
from netdsl.train.errors import ExitCode as ExitCode
from netdsl.train.errors import TrainError as TrainError
from netdsl.train.evaluation import Evaluation as Evaluation
from netdsl.train.evaluation import evaluate as evaluate
from netdsl.train.forecast import Forecast as Forecast
from netdsl.train.forecast import forecast as forecast
from netdsl.train.inference import predict as predict
from netdsl.train.loop import train as train
from netdsl.train.metrics import Row as Row
from netdsl.train.progress import SILENT as SILENT
from netdsl.train.progress import Progress as Progress
from netdsl.train.progress import Several as Several
from netdsl.train.progress import Silent as Silent
from netdsl.train.progress import Start as Start
from netdsl.train.progress import Step as Step
from netdsl.train.progress import Summary as Summary
from netdsl.train.resolve import Choices as Choices
from netdsl.train.resolve import resolve as resolve
from netdsl.train.run import RunFolder as RunFolder
from netdsl.train.settings import Settings as Settings
from netdsl.train.tensorboard import TensorBoard as TensorBoard
from netdsl.train.weights import load_weights as load_weights
from netdsl.train.weights import save_weights as save_weights
