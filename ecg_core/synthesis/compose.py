"""`synthesize`: a rhythm, a shape and some noise in; a recording and its truth out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.leads import INDEPENDENT_8, STANDARD_12
from ecg_core.recording import Recording, Source, Step, Subject
from ecg_core.synthesis.beats import Group, Placed, PlacedVentricles, gather, gather_times, place_p, place_ventricles
from ecg_core.synthesis.electrodes import (
    all_leads,
    check_leads,
    parse_lead_off,
    parse_reversal,
    reversal_matrix,
    take_off,
)
from ecg_core.synthesis.noise import NOISES, add_noise, parse_noise
from ecg_core.synthesis.rhythms import RHYTHMS, Pace, Plan, Rhythm
from ecg_core.synthesis.shapes import SHAPES, Shape
from ecg_core.synthesis.truth import Episode, Truth, WaveTimes
from ecg_core.synthesis.vcg import frontal_axis, lead_matrix

OPTIONS: dict[str, tuple[float | None, float, float]] = {
    "pr_ms": (None, 60, 600),
    "p_ms": (None, 40, 200),
    "qrs_ms": (None, 50, 240),
    "qt_ms": (None, 200, 900),
    "qtc_ms": (None, 250, 800),
    "p_axis_deg": (None, -180, 180),
    "qrs_axis_deg": (None, -180, 180),
    "t_axis_deg": (None, -180, 180),
    "gain": (1.0, 0.05, 10),
    "variability": (1.0, 0, 3),
    "respiration_hz": (0.25, 0.05, 1),
}
"""Options of every rhythm and shape: default (None: the rhythm's or shape's own), least and greatest value."""

SPIKE_MV = (0.4, 3.4, -1.0)
SPIKE_S = 0.001
"""Dipole and width of a pacing spike."""


@dataclass(frozen=True)
class Synthetic:
    """An ECG and everything that is known about it."""

    recording: Recording
    truth: Truth


def synthesize(
    rhythm: str = "sinus",
    shape: str = "normal",
    *,
    duration_s: float = 10.0,
    fs: float = 500.0,
    rate_bpm: float | None = None,
    noise: str | Iterable[str] | Mapping[str, float] = (),
    snr_db: float | None = None,
    leads: tuple[str, ...] = STANDARD_12,
    subject: Subject | None = None,
    seed: int = 0,
    **options: Any,
) -> Synthetic:
    """Make an ECG of known truth; the same arguments always give the same one.

    The heart is a continuous function of time, evaluated at the sample times: another ``fs`` samples the same beats.

    Parameters
    ----------
    rhythm, shape
        Names in `RHYTHMS` and `SHAPES`.
    duration_s, fs
        Length in seconds, and samples per second.
    rate_bpm
        Ventricular rate; None for the rhythm's usual one.
    noise
        Names in `NOISES`, or a mapping from name to the SNR (dB) of each.
    snr_db
        SNR of all noise together; see `ecg_core.synthesis.noise` for its definition.
    leads
        Leads to record, among the standard twelve.
    options
        Those in `OPTIONS`, the rhythm's own (``Rhythm.options``), and ``mains_hz``, ``lead_off`` (names, or a mapping
        from name to (start, stop) in s), ``lead_off_mode`` and ``lead_reversal`` (``"RA-LA"``, ...). A stated interval
        or axis has no effect on a wave that the rhythm does not have; premature ventricular beats keep their own.
    """
    chosen, look = RHYTHMS[rhythm], SHAPES[shape]
    leads = tuple(leads)
    check_leads(leads)
    wanted = parse_noise(noise, snr_db)
    settings = _settings(chosen, options)
    rate = chosen.rate_bpm if rate_bpm is None else rate_bpm
    _within("duration_s", duration_s, 0.5, 7 * 86400)
    _within("fs", fs, 50, 20000)
    _within("rate_bpm", rate, 20, 300)
    _within("seed", seed, 0, 2**63)
    n_samples = round(duration_s * fs)
    length_s = n_samples / fs

    rng = np.random.default_rng([seed, 0])
    pace = Pace(
        rate_bpm=rate,
        duration_s=length_s,
        pr_s=_pr_ms(chosen, look, rate, settings) / 1000,
        variability=settings["variability"],
        respiration_hz=settings["respiration_hz"],
        respiration_phase=float(rng.uniform(0, 2 * math.pi)),
    )
    p_s = (settings["p_ms"] or min(look.p_ms, 0.92 * pace.pr_s * 1000)) / 1000
    if p_s > pace.pr_s and chosen.sinus_waves_per_beat:
        raise InvalidValue(
            "the P wave outlasts PR", field="p_ms", found=p_s * 1000, expected=f"{pace.pr_s * 1000:g} or less"
        )
    plan = chosen.plan(rng, pace, settings)

    p_wave = look.p
    if settings["p_axis_deg"] is not None:
        p_wave = p_wave.rotated(settings["p_axis_deg"] - float(frontal_axis(p_wave.area)))
    p_groups = place_p(plan, pace, p_wave, p_s, settings["gain"])
    groups = place_ventricles(plan, pace, look, settings)
    dipole = np.zeros((3, n_samples))
    for p_group in p_groups:
        p_group.render(dipole, fs)
    for group in groups:
        group.render(dipole, fs)
    if plan.atrial:
        dipole += settings["gain"] * plan.atrial(np.arange(n_samples) / fs)
    _add_spikes(dipole, fs, plan.spikes_s)

    reversal = parse_reversal(settings["lead_reversal"] if _asked("lead_reversal", wanted, options) else ())
    clean = reversal_matrix(reversal) @ lead_matrix(INDEPENDENT_8) @ dipole
    signal, snr = all_leads(clean, leads), np.full(len(leads), np.inf)
    if levels := {name: level for name, level in wanted.items() if level is not None}:
        disturbance = all_leads(add_noise(clean, fs, levels, settings, seed, snr_db), leads)
        snr = _snr_db(signal, disturbance)
        signal += disturbance
    signal = signal.astype(np.float32)
    off = parse_lead_off(settings["lead_off"] if _asked("lead_off", wanted, options) else (), leads, length_s)
    take_off(signal, fs, leads, off, settings["lead_off_mode"])

    truth = _truth(plan, p_groups, groups, length_s, leads) | {
        "rhythm": rhythm,
        "shape": shape,
        "episodes": (Episode(0.0, length_s, rhythm),),
        "statements": _statements(chosen, look, rate, plan),
        "noise": levels,
        "snr_db": dict(zip(leads, snr.tolist(), strict=True)),
        "reversal": tuple("-".join(pair) for pair in reversal),
        "leads_off": off,
    }
    parameters = {
        "rhythm": rhythm,
        "shape": shape,
        "duration_s": duration_s,
        "fs": fs,
        "rate_bpm": rate_bpm,
        "noise": dict(noise) if isinstance(noise, Mapping) else list(wanted),
        "snr_db": snr_db,
        "leads": list(leads),
        "seed": seed,
        **options,
    }
    recording = Recording(
        signal,
        fs,
        leads,
        subject=subject or Subject(),
        source=Source("synthetic", f"{rhythm}-{shape}-{seed}", hashlib.sha256(signal.tobytes()).hexdigest()),
        history=(Step("synthesize", parameters),),
    )
    return Synthetic(recording, Truth(**truth))


def _settings(rhythm: Rhythm, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return every option with its value or default, after checking names and ranges."""
    defaults: dict[str, Any] = {name: default for name, (default, _, _) in OPTIONS.items()} | dict(rhythm.options)
    for kind in NOISES.values():
        defaults |= kind.options
    for name, value in options.items():
        if name not in defaults:
            raise InvalidValue("no such option", field=name, found=repr(value), options=sorted(defaults))
        if name in OPTIONS and value is not None:
            _within(name, value, *OPTIONS[name][1:])
    settings = defaults | dict(options)
    qrs, qt = settings["qrs_ms"], settings["qt_ms"]
    if qrs and qt and qt < qrs + 100:
        raise InvalidValue("QT leaves no room for a T wave", field="qt_ms", found=qt, expected=f"{qrs + 100:g} or more")
    return settings


def _within(name: str, value: float, least: float, greatest: float) -> None:
    if not (math.isfinite(value) and least <= value <= greatest):
        raise InvalidValue("out of range", field=name, found=value, expected=f"{least:g} to {greatest:g}")


def _asked(fault: str, wanted: Mapping[str, float | None], options: Mapping[str, Any]) -> bool:
    """Return whether a fault is wanted: by name among the noises, or through its own option."""
    return fault in wanted or fault in options


def _pr_ms(rhythm: Rhythm, shape: Shape, rate_bpm: float, settings: Mapping[str, Any]) -> float:
    usual = rhythm.pr_ms or shape.pr_ms
    if rhythm.pr_ms is None and shape.pr_follows_rate:
        usual *= 1 - 0.25 * min(max((rate_bpm * rhythm.sinus_waves_per_beat - 70) / 80, 0.0), 1.0)
    return float(settings["pr_ms"] or usual)


def _add_spikes(dipole: np.ndarray, fs: float, spikes_s: Iterable[float]) -> None:
    """Add rectangular pacing spikes, each sample averaging over its own interval so that none falls between two."""
    for spike in spikes_s:
        first = math.floor((spike - 0.5 / fs) * fs)
        samples = np.arange(max(first, 0), min(first + math.ceil(SPIKE_S * fs) + 3, dipole.shape[1]))
        left, right = (samples - 0.5) / fs, (samples + 0.5) / fs
        share = np.clip(np.minimum(right, spike + SPIKE_S) - np.maximum(left, spike), 0, None) * fs
        dipole[:, samples] += np.array(SPIKE_MV)[:, None] * share


def _snr_db(clean: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return 10 log10 of the ratio of variances of each lead; -inf without signal."""
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(clean.var(axis=1) / noise.var(axis=1)))


def _statements(rhythm: Rhythm, shape: Shape, rate_bpm: float, plan: Plan) -> tuple[str, ...]:
    """Return the statement codes: of the shape where any beat shows it, and of the rhythm."""
    codes = list(shape.statements) if "conducted" in plan.qrs_kind else []
    codes += rhythm.statements
    if rhythm.sinus_waves_per_beat:
        atrial = rate_bpm * rhythm.sinus_waves_per_beat
        codes.append("SBRAD" if atrial < 60 else "STACH" if atrial > 100 else "SR")
    return tuple(code for code in codes if code != "NORM" or codes == ["NORM", "SR"])


def _truth(
    plan: Plan,
    p_groups: list[Group[Placed]],
    groups: list[Group[PlacedVentricles]],
    length_s: float,
    leads: tuple[str, ...],
) -> dict[str, Any]:
    """Return the fields of `Truth` that the placed waves settle."""
    n_p, n_qrs = len(plan.p_s), len(plan.qrs_s)
    p = gather_times(p_groups, [g.item.times(leads) for g in p_groups], n_p, len(leads))
    qrs = gather_times(groups, [g.item.qrs.times(leads) for g in groups], n_qrs, len(leads))
    t = gather_times(groups, [g.item.t.times(leads) for g in groups], n_qrs, len(leads))
    inside = (qrs.peak_s >= 0) & (qrs.peak_s < length_s)
    beats = np.flatnonzero(inside)
    p_rows = np.array(plan.p_of_qrs)[beats]
    own = p.take(p_rows)

    def lone(waves: WaveTimes, taken: np.ndarray) -> WaveTimes:
        others = waves.take(np.setdiff1d(np.arange(len(waves)), taken)).within(length_s)
        return others.take(np.flatnonzero(others.visible))

    p_axis = np.append(gather(p_groups, [g.item.axis_deg(g.item.wave.area) for g in p_groups], n_p), np.nan)
    return {
        "leads": leads,
        "symbol": tuple(plan.symbol[i] for i in beats),
        "p": own.within(length_s),
        "qrs": qrs.take(beats).within(length_s),
        "t": t.take(beats).within(length_s),
        "lone": {"p": lone(p, p_rows[p_rows >= 0]), "qrs": lone(qrs, beats), "t": lone(t, beats)},
        "p_axis_deg": p_axis[p_rows],
        "qrs_axis_deg": gather(groups, [g.item.qrs.axis_deg(g.item.kind.qrs_area) for g in groups], n_qrs)[beats],
        "t_axis_deg": gather(groups, [g.item.t.axis_deg(g.item.kind.t_area) for g in groups], n_qrs)[beats],
        "pr_ms": 1000 * (qrs.onset_s[beats] - own.onset_s),
        "p_ms": 1000 * (own.end_s - own.onset_s),
        "qrs_ms": 1000 * (qrs.end_s - qrs.onset_s)[beats],
        "qt_ms": 1000 * (t.end_s - qrs.onset_s)[beats],
        "st_mv": gather(groups, [g.item.st_mv(leads) for g in groups], n_qrs)[beats],
        "pacing_spikes_s": np.array([s for s in plan.spikes_s if 0 <= s < length_s]),
    }
