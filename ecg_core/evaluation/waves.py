"""Waves found against waves marked: sensitivity, positive predictivity, F1, and the error of every boundary.

Onsets, peaks and ends are matched each on their own, one to one within the tolerance (150 ms and 75 ms), lead by lead.
``f1_p`` (``se_p``, ``ppv_p``) is taken over the onsets and ends of P waves together, ``f1_p_on`` over onsets alone.
Boundary errors are found minus marked, in ms (late is positive), over the pairs within 150 ms.

LUDB marks every wave but those near the edges of a lead, so found marks count between its first and last mark; where a
lead has no P wave, every P found there is false. QTDB marks a selection of beats: what is found elsewhere says nothing,
so there is no positive predictivity; its marks were made in sight of both leads, so for every mark the lead with the
smaller error counts (Martinez 2004, doi:10.1109/TBME.2003.821031). Martinez's SD is the mean over records of the SD
within a record: ``average.sd_p_on``, beside ``sd_p_on`` over all marks.

Waves are ``{"p" | "qrs" | "t": seconds of shape (n_waves, 3)}``: onset, peak, end, NaN where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ecg_core.evaluation.bootstrap import Score, Sums, Tally, ratio
from ecg_core.evaluation.matching import match_times

Waves = Mapping[str, np.ndarray]

KINDS = ("p", "qrs", "t")
PLACES = ("on", "peak", "off")
TOLERANCES_MS = (150, 75)
CSE_2SD_MS = {"p_on": 10.2, "p_off": 12.7, "qrs_on": 6.5, "qrs_off": 11.6, "t_off": 30.6}
"""What the CSE working party tolerates of global fiducials: two SD of its referees, in ms."""
AGREEING_LEADS = 3
AGREEMENT_S = 0.01
"""A global boundary is one that this many leads show this close together."""

_WIDEST_MS = max(TOLERANCES_MS)
_NOTHING = np.empty((0, 3))


def to_seconds(waves: Mapping[str, np.ndarray], fs: float) -> dict[str, np.ndarray]:
    """Return waves in seconds from sample numbers of shape (n_waves, 3), where -1 stands for no mark."""
    return {kind: np.where(marks < 0, np.nan, marks / fs) for kind, marks in waves.items()}


def tally_ludb(reference: Mapping[str, Waves], found: Mapping[str, Waves]) -> dict[str, float]:
    """Return the additive figures of a record, for `score_ludb`.

    Parameters
    ----------
    reference, found
        Lead to its waves. A lead that was marked and is not in ``found`` counts as one in which nothing was found.
    """
    total: dict[str, float] = {}
    for lead, marked in reference.items():
        answer = found.get(lead, {})
        figures = _tally_lead(marked, answer)
        for name, figure in (*figures.items(), *_tally_absent(marked, answer).items()):
            total[name] = total.get(name, 0.0) + figure
        counts = {name: figure for name, figure in figures.items() if name.startswith(f"{_WIDEST_MS}.")}
        total |= {f"lead_{lead}.{name}": figure for name, figure in counts.items()}
    overall, answer = ({kind: global_marks(leads, kind) for kind in KINDS} for leads in (reference, found))
    return total | {f"global.{name}": figure for name, figure in _tally_lead(overall, answer).items()}


def score_ludb(records: Sequence[Mapping[str, float]]) -> Score:
    """Return the metrics of per-lead waves, and of global ones against CSE.

    For a kind of wave (``p``) and each of its marks (``p_on``): ``f1_p se_p ppv_p`` at 150 ms and, named
    ``f1_p_75ms``, at 75; for each mark ``mean_p_on`` and ``sd_p_on`` in ms; ``absent_p``, the share of beats left
    without a P wave in leads where none is marked; ``lead_II.f1_p`` of each lead; ``global.sd_p_on`` of global
    fiducials, and ``global.cse_p_on``, that SD as a share of CSE's tolerance (1 or less is within it).
    """
    tally = Tally(records)
    leads = list(dict.fromkeys(name.partition(".")[0] for record in records for name in record if name[:5] == "lead_"))

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        metrics: dict[str, np.ndarray] = {}
        for tolerance in TOLERANCES_MS:
            metrics |= _detection(sums, tolerance, predictivity=True)
        metrics |= _errors(sums)
        metrics["absent_p"] = ratio(sums["absent_p.kept"], sums["absent_p.beats"])
        for lead in leads:
            of_lead = _detection(sums, _WIDEST_MS, predictivity=True, prefix=f"{lead}.")
            metrics |= {f"{lead}.f1_{kind}": of_lead[f"{lead}.f1_{kind}"] for kind in KINDS}
        overall = _errors(sums, "global.")
        metrics |= overall
        for mark, tolerated in CSE_2SD_MS.items():
            metrics[f"global.cse_{mark}"] = overall[f"global.sd_{mark}"] / tolerated
        return metrics

    return score


def tally_qtdb(reference: Waves, leads: Sequence[Waves]) -> dict[str, float]:
    """Return the additive figures of a record, for `score_qtdb`.

    Parameters
    ----------
    reference
        The marked waves of the record.
    leads
        The waves found in each of its leads.
    """
    figures: dict[str, float] = {}
    for mark, marked in _marks(reference):
        best = np.full(len(marked), np.nan)
        for lead in leads:
            answer = dict(_marks(lead))[mark]
            error = np.full(len(marked), np.nan)
            in_marked, in_answer = match_times(marked, answer, _WIDEST_MS / 1000)
            error[in_marked] = 1000 * (answer[in_answer] - marked[in_marked])
            best = np.where(np.isnan(best) | (np.abs(error) < np.abs(best)), error, best)
        for tolerance in TOLERANCES_MS:
            hits = float((np.abs(best) <= tolerance + 1e-6).sum())
            figures |= {f"{tolerance}.{mark}.tp": hits, f"{tolerance}.{mark}.fn": len(marked) - hits}
        errors = best[~np.isnan(best)]
        figures |= _moments(mark, errors)
        if len(errors) > 1:
            figures |= {f"{mark}.record_sd": float(errors.std(ddof=1)), f"{mark}.records": 1.0}
    return figures


def score_qtdb(records: Sequence[Mapping[str, float]]) -> Score:
    """Return ``se_p``, ``se_p_on``, ``mean_p_on``, ``sd_p_on``, ``average.sd_p_on`` and their like."""
    tally = Tally(records)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        metrics: dict[str, np.ndarray] = {}
        for tolerance in TOLERANCES_MS:
            metrics |= _detection(sums, tolerance, predictivity=False)
        metrics |= _errors(sums)
        for mark in (f"{kind}_{place}" for kind in KINDS for place in PLACES):
            metrics[f"average.sd_{mark}"] = ratio(sums[f"{mark}.record_sd"], sums[f"{mark}.records"])
        return metrics

    return score


def global_marks(leads: Mapping[str, Waves], kind: str) -> np.ndarray:
    """Return the waves of a kind over all leads: from the earliest onset to the latest end that three leads agree on.

    A beat's waves are those whose peaks follow each other within 150 ms from lead to lead. The onset is the earliest
    that two more leads show within 10 ms after it, the end the latest alike, so that a stray mark in one lead does not
    decide; NaN where no three agree. The peak is the median.

    Returns
    -------
    Seconds, shape (n_beats, 3).
    """
    rows = np.concatenate([_NOTHING, *(_of_kind(waves, kind) for waves in leads.values())])
    rows = rows[~np.isnan(rows[:, 1])]
    rows = rows[np.argsort(rows[:, 1], kind="stable")]
    beats = np.split(rows, np.flatnonzero(np.diff(rows[:, 1]) > _WIDEST_MS / 1000) + 1) if len(rows) else []
    found = [(_agreed(beat[:, 0]), float(np.median(beat[:, 1])), -_agreed(-beat[:, 2])) for beat in beats]
    return np.array(found, np.float64).reshape(-1, 3)


def _agreed(times: np.ndarray) -> float:
    """Return the earliest time that enough others follow closely, NaN where there is none."""
    times = np.sort(times[~np.isnan(times)])
    span = times[AGREEING_LEADS - 1 :] - times[: max(0, len(times) - AGREEING_LEADS + 1)]
    close = np.flatnonzero(span <= AGREEMENT_S + 1e-9)
    return float(times[close[0]]) if len(close) else float("nan")


def _of_kind(waves: Waves, kind: str) -> np.ndarray:
    return np.asarray(waves.get(kind, _NOTHING), np.float64).reshape(-1, 3)


def _marks(waves: Waves) -> list[tuple[str, np.ndarray]]:
    """Return (name, seconds in order) of each of the nine marks."""
    marks = []
    for kind in KINDS:
        for place, times in zip(PLACES, _of_kind(waves, kind).T, strict=True):
            marks.append((f"{kind}_{place}", np.sort(times[~np.isnan(times)])))
    return marks


def _tally_lead(reference: Waves, found: Waves) -> dict[str, float]:
    marked = _marks(reference)
    every = np.concatenate([times for _, times in marked])
    if not len(every):
        return {}
    start, stop = every.min(), every.max()
    figures: dict[str, float] = {}
    for (mark, times), (_, answer) in zip(marked, _marks(found), strict=True):
        for tolerance in TOLERANCES_MS:
            in_times, in_answer = match_times(times, answer, tolerance / 1000)
            inside = (answer >= start) & (answer <= stop)
            inside[in_answer] = False
            counts = {"tp": len(in_times), "fn": len(times) - len(in_times), "fp": int(inside.sum())}
            figures |= {f"{tolerance}.{mark}.{name}": float(count) for name, count in counts.items()}
            if tolerance == _WIDEST_MS:
                figures |= _moments(mark, 1000 * (answer[in_answer] - times[in_times]))
    return figures


def _tally_absent(reference: Waves, found: Waves) -> dict[str, float]:
    """Return how many beats of a lead without P waves there are, and how many were left without."""
    if len(_of_kind(reference, "p")):
        return {}
    peaks = np.sort(_of_kind(reference, "qrs")[:, 1])
    peaks = peaks[~np.isnan(peaks)]
    found_p = dict(_marks(found))["p_peak"]
    within = np.diff(np.searchsorted(found_p, peaks))
    return {"absent_p.beats": float(len(within)), "absent_p.kept": float((within == 0).sum())}


def _moments(mark: str, errors: np.ndarray) -> dict[str, float]:
    return {
        f"{mark}.n": float(len(errors)),
        f"{mark}.sum": float(errors.sum()),
        f"{mark}.squares": float((errors**2).sum()),
    }


def _detection(sums: Sums, tolerance: int, *, predictivity: bool, prefix: str = "") -> dict[str, np.ndarray]:
    metrics = {}
    suffix = "" if tolerance == _WIDEST_MS else f"_{tolerance}ms"
    for kind in KINDS:
        names = {kind: (f"{kind}_on", f"{kind}_off")} | {f"{kind}_{place}": (f"{kind}_{place}",) for place in PLACES}
        for name, marks in names.items():
            tp, fn, fp = (
                np.sum([sums[f"{prefix}{tolerance}.{mark}.{part}"] for mark in marks], axis=0)
                for part in ("tp", "fn", "fp")
            )
            metrics[f"{prefix}se_{name}{suffix}"] = ratio(tp, tp + fn)
            if predictivity:
                metrics[f"{prefix}ppv_{name}{suffix}"] = ratio(tp, tp + fp)
                metrics[f"{prefix}f1_{name}{suffix}"] = ratio(2 * tp, 2 * tp + fn + fp)
    return metrics


def _errors(sums: Sums, prefix: str = "") -> dict[str, np.ndarray]:
    metrics = {}
    for mark in (f"{kind}_{place}" for kind in KINDS for place in PLACES):
        n, total, squares = (sums[f"{prefix}{mark}.{part}"] for part in ("n", "sum", "squares"))
        mean = ratio(total, n)
        spread = np.maximum(squares - n * np.nan_to_num(mean) ** 2, 0.0)
        metrics[f"{prefix}mean_{mark}"] = mean
        metrics[f"{prefix}sd_{mark}"] = np.where(n > 1, np.sqrt(ratio(spread, np.maximum(n - 1, 0))), np.nan)
    return metrics
