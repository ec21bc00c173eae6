"""The learned beat detector behind ``method="robust"``: see `ecg_core.robust.detector`."""

from ecg_core.robust.detector import MODEL, RobustDetector, as_log_odds, detector_of, robust_detector

__all__ = ["MODEL", "RobustDetector", "as_log_odds", "detector_of", "robust_detector"]
