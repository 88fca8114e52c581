"""What lies where in the folder of an experiment."""

from __future__ import annotations

PLAN = "plan.json"
DEFINITION = "experiment.toml"  # of an experiment that netdsl wrote itself
LOCKS = "locks"  # a file for each run, and one for the report
LOGS = "logs"
NETWORKS = "networks"  # texts that a comparison changed
REPORT = "report"
RUNS = "runs"
