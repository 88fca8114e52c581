"""A trained network to its errors, and an untrained one to the norms that go through it."""

from netdsl.experiment.analysis.errors import Errors as Errors
from netdsl.experiment.analysis.errors import find_errors as find_errors
from netdsl.experiment.analysis.predictions import Predictions as Predictions
from netdsl.experiment.analysis.predictions import look as look
from netdsl.experiment.analysis.probe import Probe as Probe
from netdsl.experiment.analysis.probe import Reading as Reading
from netdsl.experiment.analysis.probe import probe as probe
from netdsl.experiment.analysis.probe_figure import draw_probes as draw_probes
from netdsl.experiment.analysis.probe_table import probe_csv as probe_csv
from netdsl.experiment.analysis.probe_table import probe_text as probe_text
from netdsl.experiment.analysis.record import About as About
from netdsl.experiment.analysis.spots import Spot as Spot
from netdsl.experiment.analysis.spots import find_spots as find_spots
from netdsl.experiment.analysis.write import write_errors as write_errors
