"""Figures of the beats' shapes: whether P waves keep step with them, which beats differ, what is left without them.

A strip is read at `FS`. Beats are compared with their median, the template. What the template explains is taken off,
and the rest shows fibrillation, flutter and noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ecg_core.rhythm.intervals import EARLY, local_median
from ecg_core.statistics import deviation, mean, median, quantiles, share

FS = 250.0
_BEFORE_S, _AFTER_S = 0.36, 0.44
_CREST_S = 0.05
"""How far a beat may be moved to stand on its greatest deflection."""
_QRS_S = 0.09
"""Half width of what is compared as the QRS complex."""
_P_S = (-0.28, -0.06)
"""Where a P wave lies relative to the R peak."""
_T_S = (0.1, 0.44)
_ALIKE = 0.85
"""Correlation from which a QRS complex belongs to the template."""
_LEAST = 3
"""Beats from which a template is made."""
_F_HZ = (4.0, 10.0)
"""Where fibrillation and flutter show."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """The beats of a strip, cut out; times relative to the R peak in steps of 1 / `FS`."""

    beats: np.ndarray
    """Millivolts, float32, shape (n_beats, n_around)."""
    template: np.ndarray
    """Median of the beats alike, shape (n_around,)."""
    alike: np.ndarray
    """Correlation of each QRS complex with the template, shape (n_beats,)."""
    sample: np.ndarray
    """R peaks, whole samples, shape (n_beats,)."""
    early: np.ndarray
    """Interval before each beat relative to the local median, 1 where there is none, shape (n_beats,)."""
    polarity: float
    """-1 where the template's QRS complex points down."""


def cut_beats(strip: np.ndarray, sample: np.ndarray) -> Shapes | None:
    """Cut the beats out of a strip (millivolts at `FS`, shape (n,)), or return None where there are too few."""
    before, after = round(_BEFORE_S * FS), round(_AFTER_S * FS)
    relative = np.ones(len(sample))
    if len(sample) > 1:
        rr = np.diff(sample) / FS
        relative[1:] = rr / local_median(rr)
    slack = round(_CREST_S * FS)
    whole = (sample >= before + slack) & (sample < len(strip) - after - slack)
    sample, relative = _at_crest(strip, sample[whole]), relative[whole]
    if len(sample) < _LEAST:
        return None
    beats = strip[sample[:, None] + np.arange(-before, after)]
    template = median(beats)
    for _ in range(2):
        alike = _likeness(beats, template, -_QRS_S, _QRS_S)
        kept = alike >= min(_ALIKE, float(median(alike)))
        template = median(beats[kept])
    alike = _likeness(beats, template, -_QRS_S, _QRS_S)
    qrs = template[_around(-_QRS_S, _QRS_S)]
    polarity = 1.0 if qrs.max() - median(template) >= median(template) - qrs.min() else -1.0
    return Shapes(beats, template, alike, sample, relative, polarity)


def measure_shapes(shapes: Shapes) -> dict[str, float]:
    """Return the figures of QRS complexes, P waves and T waves."""
    height = float(np.ptp(shapes.template[_around(-_QRS_S, _QRS_S)])) + 1e-3
    return {
        "qrs_mv": height,
        **_qrs_figures(shapes, height),
        **_p_figures(shapes, height),
        **_t_figures(shapes, height),
    }


def measure_rest(strip: np.ndarray, shapes: Shapes, height_mv: float) -> dict[str, float]:
    """Return the figures of a strip without its beats: of what lies between T and QRS, and of all that is left."""
    rest = strip - _explained(len(strip), shapes)
    spectrum, hz = _spectrum(rest)
    whole = float(spectrum[(hz >= 1) & (hz < 30)].sum()) + 1e-9
    inside = (hz >= _F_HZ[0]) & (hz <= _F_HZ[1])
    peak = int(np.argmax(np.where(inside, spectrum, 0)))
    beside = np.abs(hz - hz[peak]) <= 0.6
    between = _between(shapes)
    tq = rest[between]
    raw_tq = strip[between]
    found = {
        "rest_rms": float(deviation(rest)) / height_mv,
        "rest_explained": 1 - float(rest.var() / (strip.var() + 1e-9)),
        "rest_f_share": float(spectrum[inside].sum()) / whole,
        "rest_low_share": float(spectrum[(hz >= 1) & (hz < 4)].sum()) / whole,
        "rest_high_share": float(spectrum[(hz >= 15) & (hz < 30)].sum()) / whole,
        "rest_f_hz": float(hz[peak]),
        "rest_f_peak": float(spectrum[beside & inside].sum() / (spectrum[inside].sum() + 1e-9)),
        "rest_entropy": _entropy(spectrum[(hz >= 1) & (hz < 30)]),
    }
    if len(tq) > FS:
        fast = _fibrillation_band(rest)[between]
        found |= {
            "tq_rms": float(deviation(raw_tq)) / height_mv,
            "tq_f_rms": float(deviation(fast)) / height_mv,
            "tq_f_mv": float(deviation(fast)),
            "tq_step": float(mean(np.abs(np.diff(tq)))) / height_mv,
            "tq_crossings": share(np.diff(np.signbit(fast)) != 0) * FS,
        }
    return found


def _at_crest(strip: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Return the beats moved to the nearby extremum of the polarity that most have, whatever detector found them."""
    if not len(sample):
        return sample
    reach = round(_CREST_S * FS)
    nearby = strip[sample[:, None] + np.arange(-reach, reach + 1)]
    sign = 1.0 if median(nearby.max(axis=1)) >= -median(nearby.min(axis=1)) else -1.0
    return np.asarray(sample + (sign * nearby).argmax(axis=1) - reach)


def _around(start_s: float, stop_s: float) -> slice:
    first = round(_BEFORE_S * FS)
    return slice(first + round(start_s * FS), first + round(stop_s * FS))


def _likeness(beats: np.ndarray, template: np.ndarray, start_s: float, stop_s: float) -> np.ndarray:
    """Return the correlation of each beat with the template between two instants, shape (n_beats,)."""
    part = _around(start_s, stop_s)
    rows = beats[:, part] - mean(beats[:, part])[:, None]
    wanted = template[part] - mean(template[part])
    size = np.sqrt((rows**2).sum(axis=1) * (wanted**2).sum())
    return np.asarray(rows @ wanted / np.maximum(size, 1e-6))


def _qrs_figures(shapes: Shapes, height: float) -> dict[str, float]:
    alike, early = shapes.alike, shapes.early
    part = shapes.beats[:, _around(-0.14, 0.16)]
    steep = np.diff(part, axis=1) ** 2
    total = steep.sum(axis=1, keepdims=True) + 1e-9
    place = np.arange(steep.shape[1])
    centre = (steep * place).sum(axis=1, keepdims=True) / total
    width = np.sqrt((steep * (place - centre) ** 2).sum(axis=1) / total[:, 0]) / FS
    area = mean(np.abs(part - median(shapes.beats.T)[:, None])) / height
    size = np.ptp(shapes.beats[:, _around(-_QRS_S, _QRS_S)], axis=1)
    odd = alike < _ALIKE
    premature = early < EARLY
    template_steep = np.abs(np.diff(shapes.template[_around(-0.14, 0.16)]))
    wide = np.flatnonzero(template_steep > 0.15 * template_steep.max())
    qrs = shapes.template[_around(-_QRS_S, _QRS_S)]
    tenth, quarter = quantiles(alike, (0.1, 0.25))
    found = {
        "qrs_alike_mean": float(mean(alike)),
        "qrs_alike_min": float(alike.min()),
        "qrs_alike_q10": float(tenth),
        "qrs_alike_q25": float(quarter),
        "qrs_odd_n": float(odd.sum()),
        "qrs_odd": share(odd),
        "qrs_very_odd": share(alike < 0.5),
        "qrs_odd_early_n": float((odd & premature).sum()),
        "qrs_alike_early_n": float((~odd & premature).sum()),
        "qrs_odd_late_n": float((odd & ~premature).sum()),
        "qrs_width_s": float((wide[-1] - wide[0]) / FS) if len(wide) else 0.0,
        "qrs_spread_s": float(median(width)),
        "qrs_spread_ratio": float(width.max() / (median(width) + 1e-4)),
        "qrs_area": float(median(area)),
        "qrs_area_ratio": float(area.max() / (median(area) + 1e-4)),
        "qrs_size_cv": float(deviation(size) / (mean(size) + 1e-4)),
        "qrs_size_min": float(size.min() / (median(size) + 1e-4)),
        "qrs_size_max": float(size.max() / (median(size) + 1e-4)),
        "qrs_steepness": float(template_steep.max() / height),
        "qrs_up_share": float((shapes.polarity * (qrs - median(shapes.template))).max() / height),
    }
    if odd.sum() > 1:
        rows = shapes.beats[odd]
        found["odd_alike"] = float(median(_likeness(rows, median(rows), -_QRS_S, _QRS_S)))
    if odd.any() and not odd.all():
        found["odd_spread_ratio"] = float(median(width[odd]) / (median(width[~odd]) + 1e-4))
        found["odd_size_ratio"] = float(median(size[odd]) / (median(size[~odd]) + 1e-4))
        found["odd_early"] = float(median(early[odd]))
        found["odd_area_ratio"] = float(median(area[odd]) / (median(area[~odd]) + 1e-4))
    if premature.any():
        found["early_alike"] = float(median(alike[premature]))
        found["early_spread_ratio"] = float(median(width[premature]) / (median(width) + 1e-4))
    return found


def _p_figures(shapes: Shapes, height: float) -> dict[str, float]:
    """Return how much of what precedes the beats is the same before each: P waves are, fibrillation is not."""
    usual = (shapes.alike >= _ALIKE) & (shapes.early > EARLY)
    levelled = _level(shapes.beats[:, _around(*_P_S)])
    rows = levelled[usual] if usual.sum() >= _LEAST else levelled
    wave = median(rows)
    left = rows - wave
    power = float(wave.var())
    spread = float(median(left.var(axis=1)))
    centred, wanted = rows - mean(rows)[:, None], wave - mean(wave)
    size = np.sqrt((centred * centred).sum(axis=1) * (wanted @ wanted))
    alike = (centred @ wanted) / np.maximum(size, 1e-9)
    bend = shapes.polarity * (wave - median(wave))
    smooth = np.convolve(bend, np.full(5, 0.2), mode="same")
    top = int(np.argmax(smooth))
    follow = mean(np.abs(np.diff(levelled, axis=0))) if len(levelled) > 1 else np.zeros(1)
    found = {
        "p_coherence": power / (power + spread + 1e-9),
        "p_mv": float(np.ptp(smooth)),
        "p_height": float(np.ptp(smooth)) / height,
        "p_up": float(smooth.max()) / height,
        "p_down": float(-smooth.min()) / height,
        "p_place_s": top / FS + _P_S[0],
        "p_alike_median": float(median(alike)),
        "p_alike_q20": float(quantiles(alike, (0.2,))[0]),
        "p_alike_share": share(alike > 0.6),
        "p_left": float(np.sqrt(spread)) / height,
        "p_snr": float(np.sqrt(power / (spread + 1e-9))),
        "p_follow": float(median(follow)) / height,
        "p_pr_slope": float(shapes.polarity * (mean(wave[-3:]) - mean(wave[:3])) / height),
    }
    if (~usual).any() and usual.any():
        others = levelled[~usual]
        found["p_of_others"] = float(median(np.abs(others - wave).mean(axis=1)) / (np.abs(left).mean() + 1e-3 * height))
    return found


def _t_figures(shapes: Shapes, height: float) -> dict[str, float]:
    beats = shapes.beats[shapes.alike >= _ALIKE]
    if len(beats) < _LEAST:
        beats = shapes.beats
    rows = _level(beats[:, _around(*_T_S)])
    wave = median(rows)
    power, spread = float(wave.var()), float(median((rows - wave).var(axis=1)))
    bend = shapes.polarity * (wave - median(wave))
    return {
        "t_coherence": power / (power + spread + 1e-9),
        "t_up": float(bend.max()) / height,
        "t_down": float(-bend.min()) / height,
        "t_place_s": int(np.argmax(np.abs(bend))) / FS + _T_S[0],
        "st_level": float(
            shapes.polarity
            * (mean(shapes.template[_around(0.08, 0.1)]) - mean(shapes.template[_around(-0.08, -0.06)]))
            / height
        ),
    }


def _level(rows: np.ndarray) -> np.ndarray:
    """Return the rows without level and slope, which are the baseline's."""
    place = np.linspace(-1, 1, rows.shape[1])
    flat = rows - mean(rows)[:, None]
    slope = flat @ place / (place @ place)
    return np.asarray(flat - slope[:, None] * place)


def _explained(n: int, shapes: Shapes) -> np.ndarray:
    """Return the strip as the template would have it, 0 between the beats, shape (n,); beats of their own their own."""
    before, after = round(_BEFORE_S * FS), round(_AFTER_S * FS)
    made = np.zeros(n, np.float32)
    qrs = _around(-_QRS_S, _QRS_S)
    wanted = shapes.template[qrs] - mean(shapes.template[qrs])
    given = shapes.beats[:, qrs] - mean(shapes.beats[:, qrs])[:, None]
    gain = np.clip(given @ wanted / ((wanted**2).sum() + 1e-9), 0.3, 2.0)
    edge = np.minimum(1, np.minimum(np.arange(before + after) + 1, np.arange(before + after, 0, -1)) / 10)
    level = median(shapes.template)
    shape = ((shapes.template - level) * edge).astype(np.float32)
    for row, sample in enumerate(shapes.sample):
        first = sample - before
        if row:
            # A beat begins where it is nearer than the one before.
            first = max(first, (int(shapes.sample[row - 1]) + 2 * int(sample)) // 3)
        stop = sample + after
        made[first:stop] = 0
        piece = shape[first - (sample - before) :] * np.float32(gain[row])
        if shapes.alike[row] < _ALIKE:
            own = shapes.beats[row]
            piece = ((own - median(own)) * edge)[first - (sample - before) :]
        made[first:stop] = piece
    return made


def _between(shapes: Shapes) -> np.ndarray:
    """Return the samples between the end of a T wave and the next QRS complex, shape (n,)."""
    start = shapes.sample[:-1] + (0.55 * np.diff(shapes.sample)).astype(np.int64)
    stop = shapes.sample[1:] - round(0.06 * FS)
    spans = [np.arange(first, last) for first, last in zip(start, stop, strict=True) if 10 < last - first < 2 * FS]
    return np.concatenate(spans) if spans else np.empty(0, np.int64)


def _spectrum(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean power over Hann windows of 4 s that overlap by half, and its frequencies in Hz."""
    window, hz = _window(min(len(values), round(4 * FS)))
    rows = np.lib.stride_tricks.sliding_window_view(values, len(window))[:: max(1, len(window) // 2)]
    spectrum = np.fft.rfft(rows * window, axis=1)
    return median(spectrum.real**2 + spectrum.imag**2), hz


@lru_cache(16)
def _window(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the Hann window of so many samples, and the frequencies of their spectrum."""
    return np.hanning(length).astype(np.float32), np.fft.rfftfreq(length, 1 / FS)


def _entropy(power: np.ndarray) -> float:
    share = power / (power.sum() + 1e-12)
    return float(-(share * np.log2(share + 1e-12)).sum() / np.log2(len(share)))


def _fibrillation_band(values: np.ndarray) -> np.ndarray:
    """Return what lies at 4 to 10 Hz, as a difference of two moving averages."""
    from scipy.ndimage import uniform_filter1d

    fine: np.ndarray = uniform_filter1d(uniform_filter1d(values, round(0.04 * FS)), round(0.04 * FS))
    coarse: np.ndarray = uniform_filter1d(uniform_filter1d(values, round(0.2 * FS)), round(0.2 * FS))
    return np.asarray(fine - coarse)
