"""The folder of an experiment to tables, figures and a page."""

from netdsl.experiment.report.write import show_report as show_report
from netdsl.experiment.report.write import write_report as write_report
