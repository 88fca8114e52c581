"""Graph to numbers, and what follows from them: expectations, advice."""

from netdsl.measure.advise import advise as advise
from netdsl.measure.advise import count_scores as count_scores
from netdsl.measure.advise import turned as turned
from netdsl.measure.effect import has_effect as has_effect
from netdsl.measure.expect import check_expectations as check_expectations
from netdsl.measure.function import computed as computed
from netdsl.measure.stochastic import Step as Step
from netdsl.measure.stochastic import innermost_blocks as innermost_blocks
from netdsl.measure.stochastic import training_step as training_step
from netdsl.measure.totals import activation_memory as activation_memory
from netdsl.measure.totals import additions as additions
from netdsl.measure.totals import depth as depth
from netdsl.measure.totals import depths as depths
from netdsl.measure.totals import receptive_fields as receptive_fields
from netdsl.measure.totals import total as total
