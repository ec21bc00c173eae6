"""Axes, wave heights, ST levels and voltage sums, from what was read off the beats.

What is averaged how was decided on synthetic ECGs of all shapes at 20 dB:

- heights are read off the median beat, not beat by beat: under muscle noise the largest error of R in any lead is 0.016
  instead of 0.023 mV (median over ECGs), since the highest of many noisy samples is always too high;
- areas are averaged without the extreme fifths of the beats: under baseline wander the T axis is off by 0.17 degrees
  (95 %: 1.0), with the median over beats by 0.34 (1.9), with the mean, which one spoilt beat spoils, by 0.13 (1.0);
- ST levels are medians over beats.
"""

from __future__ import annotations

import math

import numpy as np

from ecg_core.leads import CHEST, LIMB, derive_limb
from ecg_core.measurements.representative import END, ONSET, Aligned
from ecg_core.measurements.values import Measurement, finite, spread_of
from ecg_core.measurements.voltages import ST_OFFSETS_MS, Voltages, heights, median_over_beats

LEAST_NET_MV = 0.005
"""A net area under this height times the length of the wave, the finest step of usual converters, has no direction."""
LEAST_SIGNIFICANCE = 6.0
"""Nor has one under this many standard errors of its mean over beats: its axis would be uncertain by 10 degrees."""

CONTRADICTION = 0.1
"""Limb leads contradict each other where the QRS that two of them predict for another errs by this part ..."""
_TOLERANCE_MV = 0.02
"""... and by more than this, which rounding explains."""

HEIGHT_NAMES = ("q_mv", "r_mv", "s_mv")
ST_NAMES = tuple(f"st_j{offset or ''}_mv" for offset in ST_OFFSETS_MS)
"""``st_j_mv``, ``st_j40_mv``, ..."""

_LINE = "against the line through the PQ levels"
_HEIGHT = f"of the median QRS complex, {_LINE}"
_HOW = {
    "q_mv": f"depth of Q {_HEIGHT}",
    "r_mv": f"height of R {_HEIGHT}",
    "s_mv": f"depth of S {_HEIGHT}",
    **{
        name: f"level at J{f' + {offset} ms' if offset else ''}, median over beats, {_LINE}"
        for name, offset in zip(ST_NAMES, ST_OFFSETS_MS, strict=True)
    },
}
"""How each value of a lead is had."""
_NOT_RECORDED = "flat or not recorded during the beats measured"


def measure_axes(beats: Aligned, voltages: Voltages, leads: tuple[str, ...]) -> dict[str, Measurement]:
    """Return the frontal axes of P, QRS and T in degrees, -180 to 180."""
    n = len(beats)
    areas = voltages.area_mvs.transpose(1, 0, 2).reshape(len(leads), -1)
    lead_i, lead_f = derive_limb(areas, leads, ("I", "aVF")).astype(np.float64).reshape(2, n, 3)
    vectors = np.stack([lead_i, 2 * lead_f / math.sqrt(3)], axis=2)
    contradiction = _contradiction(voltages.qrs_mv, leads)
    found = {}
    for k, wave in enumerate(("p", "qrs", "t")):
        method = f"atan2(2 aVF / sqrt 3, I) of net areas, mean over beats without the extreme fifths, {_LINE}"
        length_s = float(beats.marks_s[k, END] - beats.marks_s[k, ONSET])
        if math.isnan(length_s):
            item = Measurement(None, method, reason=f"most beats have no {wave.upper()} wave that was seen whole")
        elif contradiction:
            item = Measurement(None, method, reason=contradiction)
        else:
            item = _axis(vectors[:, k], length_s, method)
        found[f"{wave}_axis_deg"] = item
    return found


def measure_leads(voltages: Voltages, leads: tuple[str, ...]) -> dict[str, dict[str, Measurement]]:
    """Return the sizes of Q, R and S and the ST levels in each lead."""
    whole = np.stack(voltages.typical_heights_mv, axis=1).tolist()
    scatter = spread_of(np.stack(voltages.heights_mv, axis=2)).tolist()
    counted = (~np.isnan(voltages.qrs_mv).any(axis=2)).sum(axis=0).tolist()
    level, level_scatter = median_over_beats(voltages.st_mv).tolist(), spread_of(voltages.st_mv).tolist()
    level_counted = (~np.isnan(voltages.st_mv)).sum(axis=0).tolist()
    found: dict[str, dict[str, Measurement]] = {}
    for row, lead in enumerate(leads):
        items = {}
        for column, name in enumerate(HEIGHT_NAMES):
            items[name] = _item(whole[row][column], scatter[row][column], counted[row], _HOW[name])
        for column, name in enumerate(ST_NAMES):
            values = level[row][column], level_scatter[row][column], level_counted[row][column]
            items[name] = _item(*values, _HOW[name])
        found[lead] = items
    return found


def measure_sums(voltages: Voltages, leads: tuple[str, ...]) -> dict[str, Measurement]:
    """Return the Sokolow-Lyon and Cornell voltages, and where among the chest leads R outgrows S."""
    n, _, times = voltages.qrs_mv.shape
    flat = voltages.qrs_mv.transpose(1, 0, 2).reshape(len(leads), -1)
    avl = derive_limb(flat, leads, ("aVL",)).reshape(n, 1, times).astype(np.float64)
    chest = [leads.index(lead) for lead in CHEST if lead in leads]
    names = ("aVL", *(leads[row] for row in chest))
    each_avl, typical_avl = heights(avl), heights(median_over_beats(avl))
    r, s = (np.concatenate([each_avl[k], voltages.heights_mv[k][:, chest]], axis=1) for k in (1, 2))
    typical_q, typical_r, typical_s = (
        np.concatenate([typical_avl[k], voltages.typical_heights_mv[k][chest]]) for k in range(3)
    )

    def voltage(s_lead: str, r_leads: tuple[str, ...], method: str) -> Measurement:
        needed = (s_lead, *r_leads)
        if lacking := [lead for lead in needed if lead not in names or np.isnan(typical_r[names.index(lead)])]:
            return _lacks(method, lacking)
        at, others = names.index(s_lead), [names.index(lead) for lead in r_leads]
        each = s[:, at] + r[:, others].max(axis=1)
        value = typical_s[at] + typical_r[others].max()
        return _item(value, float(spread_of(each)), int(np.count_nonzero(~np.isnan(each))), method)

    return {
        "sokolow_lyon_mv": voltage("V1", ("V5", "V6"), f"S in V1 + the larger R of V5 and V6, {_HEIGHT}"),
        "cornell_mv": voltage("V3", ("aVL",), f"S in V3 + R in aVL, {_HEIGHT}"),
        "r_transition": _transition(names, typical_r - np.maximum(typical_q, typical_s), n),
    }


def _contradiction(qrs_mv: np.ndarray, leads: tuple[str, ...]) -> str | None:
    """Return why the limb leads cannot be of one heart, if so, given QRS complexes (mV, (n, n_leads, n_times))."""
    known = ~np.isnan(qrs_mv).any(axis=(0, 2))
    limb = tuple(lead for lead in LIMB if lead in leads and known[leads.index(lead)])
    if len(limb) < 3:
        return None
    found = qrs_mv[:, [leads.index(lead) for lead in limb]].transpose(1, 0, 2).reshape(len(limb), -1)
    error = np.sqrt(((found - derive_limb(found, limb, limb)) ** 2).mean(axis=1)).max()
    if error <= max(_TOLERANCE_MV, CONTRADICTION * math.sqrt(float((found**2).mean()))):
        return None
    return f"the limb leads {', '.join(limb)} contradict each other: exchanged, scaled one by one, or not simultaneous"


def _axis(vectors: np.ndarray, length_s: float, method: str) -> Measurement:
    """Return the direction of the mean of net areas (mV s, shape (n, 2))."""
    known = vectors[~np.isnan(vectors).any(axis=1)]
    if not len(known):
        return Measurement(None, method, reason="needs two limb leads that were recorded during a beat")
    net = _trimmed_mean(known)
    size = float(np.hypot(*net))
    if size < LEAST_NET_MV * length_s:
        return Measurement(None, method, reason=f"the net areas are tiny: {1000 * size / length_s:.1f} uV on average")
    if len(known) > 2:
        error = float(np.hypot(*spread_of(known))) / math.sqrt(len(known))
        if size < LEAST_SIGNIFICANCE * error:
            return Measurement(None, method, reason="the net areas are too small beside their scatter over the beats")
    value = math.degrees(math.atan2(net[1], net[0]))
    turned = np.degrees(np.arctan2(known[:, 1], known[:, 0])) - value
    return _item(value, float(spread_of((turned + 180) % 360 - 180)), len(known), method)


def _transition(names: tuple[str, ...], excess_mv: np.ndarray, n: int) -> Measurement:
    """Return where the excess of R over the deepest wave below the line turns positive among V1 to V6."""
    method = "place among V1 to V6 where R of the median QRS complex outgrows Q and S, interpolated between leads"
    if lacking := [lead for lead in CHEST if lead not in names or np.isnan(excess_mv[names.index(lead)])]:
        return _lacks(method, lacking)
    excess = excess_mv[[names.index(lead) for lead in CHEST]]
    if excess[0] >= 0:
        return Measurement(None, method, reason="R is as large as Q and S, or larger, from V1 on")
    after = int((excess >= 0).argmax())
    if not after:
        return Measurement(None, method, reason="R is smaller than Q or S in every lead from V1 to V6")
    below, above = excess[after - 1], excess[after]
    return Measurement(float(after + below / (below - above)), method, n)


def _lacks(method: str, leads: list[str]) -> Measurement:
    return Measurement(None, method, reason=f"needs {', '.join(leads)}: flat, not recorded or not to be trusted")


def _item(value: float, scatter: float, n: int, method: str) -> Measurement:
    if math.isnan(value):
        return Measurement(None, method, reason=_NOT_RECORDED)
    return Measurement(float(value), method, n, finite(scatter))


def _trimmed_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each column of values (n, ...) without the lowest and the highest fifth."""
    cut = len(values) // 5
    return np.asarray(np.sort(values, axis=0)[cut : len(values) - cut].mean(axis=0))
