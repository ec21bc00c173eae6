"""Recording -> Recording: every step leaves a history entry from which `replay` can do it again.

Nothing here moves a wave in time, lets NaN (not recorded) spread, or fills it in. Importing this package stays cheap:
scipy is imported by what filters.
"""

from ecg_core.preprocess.bands import bandpass, highpass_edge_hz, keeps_st, monitor_view
from ecg_core.preprocess.baseline import remove_baseline
from ecg_core.preprocess.mains import find_mains, notch
from ecg_core.preprocess.replay import replay
from ecg_core.preprocess.resampling import resample, resample_array
from ecg_core.preprocess.shaping import crop, fit_length, normalise, pad, windows
from ecg_core.preprocess.views import envelope, resample_window, sample_range

__all__ = [
    "bandpass",
    "crop",
    "envelope",
    "find_mains",
    "fit_length",
    "highpass_edge_hz",
    "keeps_st",
    "monitor_view",
    "normalise",
    "notch",
    "pad",
    "remove_baseline",
    "replay",
    "resample",
    "resample_array",
    "resample_window",
    "sample_range",
    "windows",
]
