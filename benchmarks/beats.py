"""Beats: accuracy and time of our detectors and of their peers on the same signals, and 24 h of one lead.

MIT-BIH (without flutter; the paced records are in) and CPSC2019 where EINTHOVEN_DATA_DIR holds them, else synthetic
ECGs in muscle noise. Every detector gets the same lead as float64 (ours: float32, as recordings hold it). `robust` was
trained on records of these sets: of them, its out-of-fold figures stand here, from the artefact's metrics.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from benchmarks.timing import compare, say
from ecg_core.artefacts import load_model
from ecg_core.beats import detect_beats
from ecg_core.datasets import DATASETS, data_dir
from ecg_core.evaluation import beats, cpsc2019
from ecg_core.evaluation.bootstrap import Score
from ecg_core.preprocess import resample
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize

Finder = Callable[[np.ndarray, float], np.ndarray]
Figures = Mapping[str, float]
Record = tuple[Recording, Callable[[np.ndarray], Figures]]
"""One lead, and what gives the figures of the samples found in it."""

DAY_FS = 250.0
DAY_S = 24 * 3600


def ours(method: str) -> Finder:
    """Find beats as `detect_beats` does."""
    return lambda lead, fs: np.rint(detect_beats(Recording(lead[None], fs, ("II",)), method=method).times_s * fs)


OURS: dict[str, Finder] = {f"einthoven {method}": ours(method) for method in ("fast", "robust")}
TRAINED = "einthoven robust"


def peers() -> dict[str, Finder]:
    """Return the detectors of other packages, as these recommend to use them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import neurokit2
        import openecg
        from biosppy.signals.ecg import correct_rpeaks, hamilton_segmenter
        from sleepecg import detect_heartbeats
        from wfdb.processing import gqrs_detect, xqrs_detect

    def hamilton(lead: np.ndarray, fs: float) -> np.ndarray:
        """Find beats as BioSPPy's `ecg` does, which also computes much else."""
        high = min(45.0, 0.45 * fs)
        filtered = neurokit2.signal_filter(lead, fs, lowcut=3, highcut=high, method="butterworth", order=4)
        (found,) = hamilton_segmenter(filtered, fs)
        (moved,) = correct_rpeaks(filtered, found, fs, tol=0.05)
        return np.asarray(moved)

    return {
        "sleepecg (C)": lambda lead, fs: detect_heartbeats(lead, fs),
        "wfdb xqrs": lambda lead, fs: xqrs_detect(lead, fs, verbose=False),
        "wfdb gqrs": lambda lead, fs: gqrs_detect(sig=lead, fs=fs),
        "neurokit2": lambda lead, fs: neurokit2.ecg_peaks(neurokit2.ecg_clean(lead, fs), fs)[1]["ECG_R_Peaks"],
        "biosppy hamilton": hamilton,
        "openecg": lambda lead, fs: openecg.detect_qrs(lead, int(fs)),
    }


def searched(recording: Recording) -> Recording:
    """Return the one lead that `detect_beats` chooses."""
    return recording.select(("II" if "II" in recording.leads else recording.leads[0],))


def mitdb() -> Iterator[Record]:
    """Yield the MIT-BIH records."""
    for _, recording, truth in DATASETS["mitdb"].iterate(data_dir()):
        fs = recording.fs
        left_out = beats.flutter_spans(truth.other_sample / fs, truth.other_symbol, recording.duration_s)
        reference = truth.beat_sample / fs
        yield (
            searched(recording),
            lambda found, fs=fs, reference=reference, left_out=left_out: beats.tally_beats(
                reference, found / fs, left_out=left_out
            ),
        )


def cpsc() -> Iterator[Record]:
    """Yield the CPSC2019 records; the rate is that of the beats found, by the reference's rule."""
    for _, recording, truth in DATASETS["cpsc2019"].iterate(data_dir()):
        yield (
            recording,
            lambda found, peaks=truth.r_peaks: cpsc2019.score_record(peaks, found, cpsc2019.heart_rate(found)),
        )


def synthetic() -> Iterator[Record]:
    """Yield minutes of synthetic ECG in muscle noise."""
    for seed in range(40):
        made = synthesize(
            ("sinus", "af", "pvc", "tachycardia")[seed % 4], duration_s=60, noise="muscle", snr_db=12, seed=seed
        )
        reference = made.truth.qrs.peak_s
        yield (
            searched(made.recording),
            lambda found, fs=made.recording.fs, reference=reference: beats.tally_beats(reference, found / fs),
        )


Scorer = Callable[[Sequence[Figures]], Score]
SETS: dict[str, tuple[Callable[[], Iterator[Record]], Scorer, tuple[str, ...]]] = {
    "mitdb": (mitdb, beats.score_beats, ("se_150ms", "ppv_150ms", "f1_75ms")),
    "cpsc2019": (cpsc, cpsc2019.score_records, ("qrs_official", "qrs_strict", "hr_official")),
}
SYNTHETIC = {"synthetic": (synthetic, beats.score_beats, ("se_150ms", "ppv_150ms", "f1_75ms"))}


def examine(
    find: Finder, records: Sequence[Record], score: Scorer, names: tuple[str, ...], *, own: bool
) -> dict[str, float]:
    """Return the metrics named, and the seconds taken."""
    seconds, answers = 0.0, []
    for recording, judge in records:
        lead = recording.signal[0] if own else recording.signal[0].astype(np.float64)
        start = time.perf_counter()
        found = find(lead, recording.fs)
        seconds += time.perf_counter() - start
        answers.append(judge(np.asarray(found, np.float64)))
    metrics = score(answers)(np.ones((1, len(answers))))
    return {name: float(metrics[name][0]) for name in names} | {"seconds": seconds}


def main() -> dict[str, dict[str, float]]:
    """Print a table a data set and the ratios of times, and return the figures."""
    import neurokit2
    from sleepecg import detect_heartbeats

    results: dict[str, dict[str, float]] = {}
    here = {name: parts for name, parts in SETS.items() if (data_dir() / name).is_dir()}
    longest: list[np.ndarray] = []
    for name, (read, score, names) in (here or SYNTHETIC).items():
        records = list(read())
        longest = longest or [resample(recording, DAY_FS).signal[0] for recording, _ in records]
        print(f"| {name}, n = {len(records)} | {' | '.join(names)} | s |")
        print("|---" * (len(names) + 2) + "|")
        for peer, find in (OURS | peers()).items():
            row = examine(find, records, score, names, own=peer in OURS)
            label = peer
            if peer == TRAINED and here:
                row |= out_of_fold(name, names)
                label += ", out of fold"
            results[f"{name}, {peer}"] = row
            print(f"| {label} | " + " | ".join(f"{value:.4f}" for value in row.values()) + " |")
        print()
    day = np.resize(np.concatenate(longest), round(DAY_FS * DAY_S))
    recording, plain = Recording(day[None], DAY_FS, ("II",)), day.astype(np.float64)
    peer = partial(detect_heartbeats, plain, DAY_FS)
    for method, seconds in (("fast", 20.0), ("robust", 0.0)):
        row = compare(partial(detect_beats, recording, method=method), peer, seconds=seconds, least=3)
        results[f"24 h, {method}"] = row
        say(f"24 h, 1 lead, 250 Hz, {method}", row, "sleepecg")
    twelve = synthesize(fs=500, seed=1).recording
    second = twelve.lead("II").astype(np.float64)
    row = compare(partial(detect_beats, twelve), partial(neurokit2.ecg_process, second, 500))
    results["10 s, robust"] = row
    say("10 s, 500 Hz, robust on 12 leads", row, "NeuroKit's `ecg_process` on one lead")
    return results


def out_of_fold(data: str, names: Sequence[str]) -> dict[str, float]:
    """Return the figures of `robust` on records that it had not seen."""
    stated = load_model("beats").json("metrics.json")["out_of_fold"][data]["metrics"]
    return {name: float(stated[name]["value"]) for name in names}
