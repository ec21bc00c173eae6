"""How good a model is: scorers, bootstrap intervals, and the examination of a model on a data set.

>>> from ecg_core.evaluation import evaluate
>>> result = evaluate("beats", "cpsc2019", "~/ecg-data")
>>> result.metrics["qrs_official"].value

The scorers are pure functions on times, labels and probabilities, a module each: `cpsc2019`, `beats`, `beat_classes`,
`waves`, `classification`, `calibration`. Those that take what a model said about many records give a `Score`, which
`bootstrap.measure` turns into values with intervals. `exams` says which model is examined on which set, and how.
"""

from ecg_core.evaluation.bootstrap import Score, Tally, measure
from ecg_core.evaluation.exams import EXAMS, Exam, evaluate, register
from ecg_core.evaluation.report import Evaluation, Metric

__all__ = ["EXAMS", "Evaluation", "Exam", "Metric", "Score", "Tally", "evaluate", "measure", "register"]
