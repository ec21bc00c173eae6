"""Waves: NeuroKit2's wavelet delineation and ours on lead II of LUDB, and the time of a 12-lead recording.

Ours was trained on LUDB, so its out-of-fold figures stand here, from the artefact's metrics. OpenECG is left out: it
was trained on LUDB and QTDB and does not say which of its figures are out of fold. Without LUDB only times are taken.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks.timing import compare, say
from ecg_core.artefacts import load_model
from ecg_core.beats import detect_beats
from ecg_core.datasets import DATASETS, data_dir
from ecg_core.delineation import delineate_waves
from ecg_core.evaluation.waves import score_ludb, tally_ludb, to_seconds
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize

LEAD = "II"
FIGURES = ("lead_II.f1_p", "lead_II.f1_qrs", "lead_II.f1_t")
SPREADS = ("sd_p_on", "sd_p_off", "sd_qrs_on", "sd_qrs_off", "sd_t_off")


def dwt(lead: np.ndarray, fs: float) -> dict[str, np.ndarray]:
    """Return the waves of a lead by NeuroKit2, in seconds, shape (n_waves, 3); none where it fails."""
    import neurokit2

    cleaned = neurokit2.ecg_clean(lead, fs)
    peaks = neurokit2.ecg_peaks(cleaned, fs)[1]["ECG_R_Peaks"]
    try:
        _, found = neurokit2.ecg_delineate(cleaned, peaks, fs, method="dwt")
    except (ValueError, IndexError, ZeroDivisionError):
        return {}
    names = {
        "p": ("ECG_P_Onsets", "ECG_P_Peaks", "ECG_P_Offsets"),
        "qrs": ("ECG_R_Onsets", None, "ECG_R_Offsets"),
        "t": ("ECG_T_Onsets", "ECG_T_Peaks", "ECG_T_Offsets"),
    }
    rows = {
        kind: [np.asarray(peaks if name is None else found[name], np.float64) for name in columns]
        for kind, columns in names.items()
    }
    return {kind: np.column_stack(columns) / fs for kind, columns in rows.items()}


def ludb() -> tuple[int, Mapping[str, float]]:
    """Return the number of records and NeuroKit2's figures in lead II."""
    tallies = []
    for _, recording, truth in DATASETS["ludb"].iterate(data_dir()):
        marked = {LEAD: to_seconds(truth.waves[LEAD], recording.fs)}
        found = dwt(recording.lead(LEAD).astype(np.float64), recording.fs)
        tallies.append(tally_ludb(marked, {LEAD: found}))
    scored = score_ludb(tallies)(np.ones((1, len(tallies))))
    return len(tallies), {name: float(values[0]) for name, values in scored.items()}


def analysed(recording: Recording) -> Any:
    """Find beats and waves on every lead."""
    return delineate_waves(recording, detect_beats(recording))


def main() -> dict[str, Any]:
    """Print the figures and the ratio of times, and return them."""
    import neurokit2

    warnings.simplefilter("ignore")
    results: dict[str, Any] = {}
    if (data_dir() / "ludb").is_dir():
        n, theirs = ludb()
        stated = load_model("waves").json("metrics.json")["metrics"]
        print(f"| LUDB, n = {n} | {' | '.join((*FIGURES, *SPREADS))} |")
        print("|---" * (1 + len(FIGURES) + len(SPREADS)) + "|")
        print(f"| neurokit2 dwt, lead II | {' | '.join(f'{theirs[name]:.4g}' for name in (*FIGURES, *SPREADS))} |")
        mine = {name: stated[name]["value"] for name in (*FIGURES, *SPREADS)}
        print(f"| einthoven, out of fold; SD over 12 leads | {' | '.join(f'{value:.4g}' for value in mine.values())} |")
        results["ludb"] = {"neurokit2": theirs, "einthoven": mine}
    recording = synthesize(fs=500, seed=1).recording
    signal = recording.signal.astype(np.float64)

    def theirs_12() -> None:
        neurokit2.ecg_process(recording.lead(LEAD).astype(np.float64), 500)
        for lead in signal:
            dwt(lead, 500)

    row = compare(partial(analysed, recording), theirs_12, seconds=15, least=8)
    results["12 leads"] = row
    say("beats and waves of 12 leads, 10 s, 500 Hz", row, "NeuroKit's `ecg_process` and DWT delineation")
    return results
