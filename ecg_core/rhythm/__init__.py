"""The rhythm of one lead: normal, atrial fibrillation, other, or too noisy; of long recordings its episodes.

>>> from ecg_core.rhythm import classify_rhythm, read_rhythm
>>> rhythm = classify_rhythm(recording, detect_beats(recording))
>>> rhythm.label, rhythm.probability, rhythm.af_burden, rhythm.episodes
"""

from ecg_core.rhythm.classify import classify_rhythm, read_rhythm
from ecg_core.rhythm.value import LABELS, TITLES, Label, Rhythm, RhythmEpisode

__all__ = ["LABELS", "TITLES", "Label", "Rhythm", "RhythmEpisode", "classify_rhythm", "read_rhythm"]
