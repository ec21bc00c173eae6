"""The class of each beat, as ANSI/AAMI EC57 has them: normal, supraventricular or ventricular ectopic, fusion, other.

>>> from ecg_core.beat_classes import classify_beats
>>> found = classify_beats(recording, detect_beats(recording))
>>> found.classes, found.counts
"""

from ecg_core.beat_classes.classify import classify_beats
from ecg_core.beat_classes.value import CLASSES, TITLES, BeatClass, BeatClasses

__all__ = ["CLASSES", "TITLES", "BeatClass", "BeatClasses", "classify_beats"]
