"""A machine to findings: what netdsl needs of it, what is there, and the way out of faults."""

from netdsl.doctor.examine import examine as examine
from netdsl.doctor.finding import Finding as Finding
from netdsl.doctor.finding import State as State
