"""The HTTP service around `ecg_core`: app -> routes -> services."""
