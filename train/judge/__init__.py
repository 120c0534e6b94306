"""The judge: a small classifier of the attributes, and what it measures of painted faces.

The last layer of such a classifier sees colour and little else, so blurry fakes look almost perfect
to it. Distances are therefore taken at five depths, each as a ratio to its floor: the same distance
for real faces that neither the judge nor the generator has seen.
"""

from train.judge.judge import Examination, Judge, Paint, Seen, ValueShare
from train.judge.network import Classifier
from train.judge.prepare import SECOND, prepare

__all__ = ["SECOND", "Classifier", "Examination", "Judge", "Paint", "Seen", "ValueShare", "prepare"]
