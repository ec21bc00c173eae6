"""Two recordings of one person beside one another: each difference beside what differs where nothing changed.

>>> from ecg_core.comparison import compare_analyses
>>> found = compare_analyses(analyze(first), analyze(second))
>>> found.measurements["qt_ms"].difference, found.measurements["qt_ms"].noise.limit, found.measurements["qt_ms"].verdict
"""

from ecg_core.comparison.compare import compare_analyses
from ecg_core.comparison.noise import Level, Noise, shipped_noise
from ecg_core.comparison.value import FATES, VERDICTS, Change, Comparison, Side, StatementChange

__all__ = [
    "FATES",
    "VERDICTS",
    "Change",
    "Comparison",
    "Level",
    "Noise",
    "Side",
    "StatementChange",
    "compare_analyses",
    "shipped_noise",
]
