"""Images that nobody has labelled to classes and probabilities, as fast as the machine can."""

from netdsl.train.inference.about import About as About
from netdsl.train.inference.about import about_weights as about_weights
from netdsl.train.inference.answers import Answer as Answer
from netdsl.train.inference.answers import Answers as Answers
from netdsl.train.inference.answers import answer as answer
from netdsl.train.inference.fast import Fast as Fast
from netdsl.train.inference.fast import make_fast as make_fast
from netdsl.train.inference.folding import Folded as Folded
from netdsl.train.inference.folding import fold as fold
from netdsl.train.inference.pick import SPLITS as SPLITS
from netdsl.train.inference.pick import Picked as Picked
from netdsl.train.inference.pick import find_files as find_files
from netdsl.train.inference.pick import pick_split as pick_split
from netdsl.train.inference.predicting import predict as predict
from netdsl.train.inference.score import Score as Score
from netdsl.train.inference.score import score as score
from netdsl.train.inference.write import refuse_unfit_submission as refuse_unfit_submission
from netdsl.train.inference.write import submission_ids as submission_ids
from netdsl.train.inference.write import to_csv as to_csv
from netdsl.train.inference.write import to_json as to_json
from netdsl.train.inference.write import to_submission as to_submission
