"""What a training kept, back as a network: its text, what was said in place of it, its weights."""

from netdsl.trained.asked import asked_of as asked_of
from netdsl.trained.load import Trained as Trained
from netdsl.trained.load import load_trained as load_trained
from netdsl.trained.load import weights_of as weights_of
