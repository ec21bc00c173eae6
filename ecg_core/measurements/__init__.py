"""The table of measurements of an electrocardiograph, from a recording and the marks of its waves.

>>> from ecg_core.measurements import measure
>>> table = measure(recording, waves)
>>> table["pr_ms"].value, table.leads["V2"]["st_j_mv"].flag
"""

from ecg_core.measurements.part import Part, choose_part
from ecg_core.measurements.representative import Aligned, align_dominant, global_marks
from ecg_core.measurements.table import VALUES, measure
from ecg_core.measurements.values import Measurement, Measurements, Range

__all__ = [
    "VALUES",
    "Aligned",
    "Measurement",
    "Measurements",
    "Part",
    "Range",
    "align_dominant",
    "choose_part",
    "global_marks",
    "measure",
]
