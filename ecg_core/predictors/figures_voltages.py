"""Figures of voltages: what each lead shows of P, QRS, ST and T in the usual beat, and sums and axes of them.

All is read at 100 Hz against a line through the PQ levels, and is a median over the beats of the commonest class.
"""

from __future__ import annotations

import math

import numpy as np

from ecg_core.leads import CHEST, INDEPENDENT_8, LIMB, STANDARD_12, derive_limb
from ecg_core.preprocess.resampling import resample_array
from ecg_core.recording import Recording
from ecg_core.statistics import known_median, median
from ecg_core.waves import END, ONSET, PEAK, QRS, P, T

FS = 100.0
LEAD_FIGURES = (
    *("q_mv", "r_mv", "s_mv", "r2_mv", "q_time_ms", "r_time_ms", "qrs_area_mvs"),
    *("st_j_mv", "st_60_mv", "t_max_mv", "t_min_mv", "p_max_mv", "p_min_mv"),
)
"""Of each lead. ``q_mv``, ``s_mv``: the lowest before and after R, as depths; ``r2_mv``: the highest after S;
``q_time_ms``, ``r_time_ms``: from QRS onset to when the signal first rises above the line and to R; ``t_max_mv``,
``t_min_mv``, ``p_...``: highest and lowest of the wave."""

VOLTAGE_FIGURES = (
    *("p_axis_deg", "qrs_axis_deg", "t_axis_deg", "qrs_t_angle_deg", "qrs_axis_sin", "qrs_axis_cos"),
    *("sokolow_lyon_mv", "cornell_mv", "cornell_product_mvms", "right_mv", "r_transition", "chest_r_mv", "chest_s_mv"),
    *("limb_low_mv", "chest_low_mv", "total_mv"),
    *("st_up_mv", "st_down_mv", "t_inverted", "q_deep", "qrs_t_discordance"),
    *("terminal_v1_mv", "baseline_mv"),
)
"""``right_mv``: R in V1 and the larger S of V5 and V6; ``limb_low_mv``: the largest QRS of the limb leads;
``total_mv``: mean size of QRS over the leads; ``st_up_mv``, ``st_down_mv``: the second highest and lowest ST level
among the leads; ``t_inverted``, ``q_deep``: number of leads (not aVR, V1) with T or Q under -0.1 mV;
``qrs_t_discordance``: correlation of net QRS and T over the leads; ``terminal_v1_mv``: P's second half in V1;
``baseline_mv``: how far PQ levels wander."""

_REACH = 24
"""Samples after QRS onset in which QRS is looked at: 240 ms."""
_P_POINTS, _T_POINTS = 8, 12
_FLAT_MV = 1e-3
_LEAST_NET_MV = 0.005
_DEEP_MV = 0.1
_SAME_S = 0.15


def measure_voltages(
    recording: Recording, marks: np.ndarray, beats_s: np.ndarray, classes: np.ndarray
) -> dict[str, float]:
    """Return `VOLTAGE_FIGURES` and, as ``V1.r_mv``, `LEAD_FIGURES`, without those that cannot be had.

    Parameters
    ----------
    marks
        Global marks in seconds, shape (n_rows, 3, 3).
    beats_s, classes
        Beats in seconds, shape (n_beats,), and probabilities of their classes, shape (n_beats, 5) or (0, 5).
    """
    marks = _usual(marks[~np.isnan(marks[:, QRS, ONSET])], beats_s, classes)
    if not len(marks):
        return {}
    signal, leads = _at_100(recording)
    if not leads:
        return {}
    flat, wander = _straightened(signal, marks[:, QRS, ONSET])
    t, p = _curve(flat, marks[:, T], _T_POINTS), _curve(flat, marks[:, P], _P_POINTS)
    table = np.concatenate([_beat_table(flat, marks), [t.max(axis=1), t.min(axis=1), p.max(axis=1), p.min(axis=1)]])
    found = {
        f"{lead}.{name}": value
        for lead, row in zip(leads, table.T.tolist(), strict=True)
        for name, value in zip(LEAD_FIGURES, row, strict=True)
        if not math.isnan(value)
    }
    found["baseline_mv"] = wander
    columns = dict(zip(LEAD_FIGURES, table, strict=True))
    found |= _sums(columns, leads, 1000 * float(median(marks[:, QRS, END] - marks[:, QRS, ONSET])))
    found |= _axes(columns, leads, t, p)
    return {name: value for name, value in found.items() if not math.isnan(value)}


def _usual(marks: np.ndarray, beats_s: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the rows of marks whose beats are of the commonest class; all, where there are no classes."""
    if not len(classes) or not len(marks):
        return marks
    away = np.abs(marks[:, QRS, PEAK, None] - beats_s)
    row = away.argmin(axis=1)
    of = np.where(away.min(axis=1) < _SAME_S, classes[row].argmax(axis=1), -1)
    if not (of >= 0).any():
        return marks
    return np.asarray(marks[of == np.bincount(of[of >= 0]).argmax()])


def _at_100(recording: Recording) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the standard leads that move, mV at 100 Hz, shape (n_leads, n), limb leads completed, and their names."""
    names = tuple(lead for lead in STANDARD_12 if lead in recording.leads) or recording.leads[:1]
    if {"I", "II"} <= set(names):
        names = tuple(lead for lead in names if lead in INDEPENDENT_8)
    rows = np.stack([recording.lead(lead) for lead in names])
    moves = np.fmax.reduce(rows, axis=1) - np.fmin.reduce(rows, axis=1) > _FLAT_MV
    names = tuple(lead for lead, moving in zip(names, moves, strict=True) if moving)
    signal = resample_array(rows[moves], recording.fs, FS)
    if sum(lead in LIMB for lead in names) < 2:
        return signal, names
    chest = tuple(lead for lead in names if lead in CHEST)
    return np.concatenate([derive_limb(signal, names, LIMB), signal[len(names) - len(chest) :]]), (*LIMB, *chest)


def _straightened(signal: np.ndarray, onset_s: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the signal less the line through the levels before each QRS, and how far those levels wander (mV)."""
    at = np.rint(onset_s * FS).astype(np.int64)
    level = np.take(signal, at[:, None] + np.arange(-3, 0), axis=1, mode="clip").mean(axis=2)
    place = np.arange(signal.shape[1])
    flat = signal.copy()
    for row, values in zip(flat, level, strict=True):
        known = ~np.isnan(values)
        if known.any():
            row -= np.interp(place, at[known] - 2, values[known])
    wander = np.abs(np.diff(level, axis=1))
    return flat, float(known_median(wander.reshape(-1)))


def _beat_table(flat: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Return those of `LEAD_FIGURES` that are of QRS and ST, of leads (n_leads, n), shape (n_figures, n_leads)."""
    onset = np.rint(marks[:, QRS, ONSET] * FS).astype(np.int64)
    length = np.minimum(np.rint(marks[:, QRS, END] * FS).astype(np.int64) - onset, _REACH - 1)
    place = np.arange(_REACH)
    inside = place <= length[:, None]
    qrs = np.take(flat, onset[:, None] + place, axis=1, mode="clip")
    high, low = np.where(inside, qrs, -np.inf), np.where(inside, qrs, np.inf)
    r_at = high.argmax(axis=2)
    before = place < r_at[..., None]
    q = np.where(before, low, 0.0).min(axis=2)
    after = np.where(before, np.inf, low)
    s_at = after.argmin(axis=2)
    s = np.minimum(after.min(axis=2), 0.0)
    r2 = np.where(place > s_at[..., None], high, 0.0).max(axis=2)
    rises = (np.where(inside, qrs, 0.0) > 0.03).argmax(axis=2)
    area = np.where(inside, qrs, 0.0).sum(axis=2) / FS
    end = onset + length
    st_j = np.take(flat, end[:, None] + np.arange(2), axis=1, mode="clip").mean(axis=2)
    st_60 = np.take(flat, end[:, None] + np.arange(5, 8), axis=1, mode="clip").mean(axis=2)
    step = 1000 / FS
    each = np.stack([-q, high.max(axis=2), -s, r2, step * rises, step * r_at, area, st_j, st_60])
    each[:, np.isnan(each[6])] = np.nan
    return _middle(each, axis=2)


def _curve(flat: np.ndarray, marks: np.ndarray, points: int) -> np.ndarray:
    """Return a wave's median shape at instants spread evenly over it, shape (n_leads, points); NaN without waves."""
    marks = marks[~np.isnan(marks[:, ONSET])]
    if not len(marks):
        return np.full((len(flat), points), np.nan)
    share = np.linspace(0, 1, points)
    at = np.rint((marks[:, ONSET, None] + (marks[:, END] - marks[:, ONSET])[:, None] * share) * FS).astype(np.int64)
    return _middle(np.take(flat, at, axis=1, mode="clip"), axis=1)


def _axes(columns: dict[str, np.ndarray], leads: tuple[str, ...], t: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Return the frontal axes and what follows from them, given the shapes of T and P, (n_leads, points)."""
    if "aVF" not in leads:
        return {}
    nets = {"p": p.mean(axis=1), "qrs": columns["qrs_area_mvs"] / 0.1, "t": t.mean(axis=1)}
    found: dict[str, float] = {}
    for wave, net in nets.items():
        x, y = float(net[leads.index("I")]), 2 * float(net[leads.index("aVF")]) / math.sqrt(3)
        if math.hypot(x, y) >= _LEAST_NET_MV:
            found[f"{wave}_axis_deg"] = math.degrees(math.atan2(y, x))
    if (axis := found.get("qrs_axis_deg")) is not None:
        found |= {"qrs_axis_sin": math.sin(math.radians(axis)), "qrs_axis_cos": math.cos(math.radians(axis))}
        if "t_axis_deg" in found:
            found["qrs_t_angle_deg"] = abs((axis - found["t_axis_deg"] + 180) % 360 - 180)
    both = np.stack([nets["qrs"], nets["t"]])
    if len(leads) == len(STANDARD_12) and not np.isnan(both).any() and (both.std(axis=1) > 0).all():
        found["qrs_t_discordance"] = float(np.corrcoef(both)[0, 1])
    if "V1" in leads:
        found["terminal_v1_mv"] = float(p[leads.index("V1"), _P_POINTS // 2 :].mean())
    return found


def _sums(columns: dict[str, np.ndarray], leads: tuple[str, ...], qrs_ms: float) -> dict[str, float]:
    """Return voltages added over leads, and what is counted over them."""
    r, s, q = (dict(zip(leads, columns[name].tolist(), strict=True)) for name in ("r_mv", "s_mv", "q_mv"))
    size = columns["r_mv"] + np.maximum(columns["s_mv"], columns["q_mv"])
    found: dict[str, float] = {}
    limb = np.array([lead in LIMB for lead in leads])
    chest = np.array([lead in CHEST for lead in leads])
    if limb.sum() > 1:
        found["limb_low_mv"] = float(size[limb].max())
    if limb.all() and len(leads) > 1:
        return found
    if {"V1", "V5", "V6"} <= r.keys():
        found["sokolow_lyon_mv"] = s["V1"] + max(r["V5"], r["V6"])
        found["right_mv"] = r["V1"] + max(s["V5"], s["V6"])
    if {"V3", "aVL"} <= r.keys():
        found["cornell_mv"] = s["V3"] + r["aVL"]
        found["cornell_product_mvms"] = found["cornell_mv"] * qrs_ms
    if chest.sum() == len(CHEST):
        found |= {
            "chest_low_mv": float(size[chest].max()),
            "chest_r_mv": float(columns["r_mv"][chest].max()),
            "chest_s_mv": float(columns["s_mv"][chest].max()),
        }
        excess = np.array([r[lead] - max(q[lead], s[lead]) for lead in CHEST])
        ahead = np.flatnonzero(excess >= 0)
        found["r_transition"] = _crossing(excess, int(ahead[0])) if len(ahead) else float(len(CHEST) + 1)
    if len(leads) == len(STANDARD_12):
        found["total_mv"] = float(size.mean())
        lower = np.sort(columns["st_60_mv"])
        found |= {"st_up_mv": float(lower[-2]), "st_down_mv": float(lower[1])}
        others = np.array([lead not in ("aVR", "V1") for lead in leads])
        found["t_inverted"] = float((columns["t_min_mv"][others] < -_DEEP_MV).sum())
        found["q_deep"] = float((columns["q_mv"][others] > _DEEP_MV).sum())
    return found


def _crossing(excess: np.ndarray, at: int) -> float:
    """Return where, among V1 to V6 as 1 to 6, R outgrows Q and S, given its excess, from the first lead that has it."""
    return 0.5 if not at else float(at + excess[at - 1] / (excess[at - 1] - excess[at]))


def _middle(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the median of what is known along an axis, NaN where nothing is."""
    if np.isnan(values).any():
        return known_median(np.moveaxis(values, axis, -1))
    return np.asarray(median(values, axis))
