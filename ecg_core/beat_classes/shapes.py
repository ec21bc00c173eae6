"""How a beat differs from the person's usual one in a lead: QRS complex, T wave, and the P wave before.

Differences, so that a bundle branch block or a strange electrode position is no reason to call a beat ventricular.
Amplitudes are parts of the span of the usual QRS complex.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ecg_core.beat_classes.families import BEFORE, BODY, FS, LAG, LEVEL, QRS, lagged, unit
from ecg_core.statistics import median

_P = slice(BEFORE - 62, BEFORE - 17)
_EARLY_P = slice(BEFORE - 88, BEFORE - 17)
_P_LAGS = range(-20, 13, 2)
_T = slice(BEFORE + 30, BEFORE + 115)
_SLOPE = 0.25
"""A complex lasts as long as its slopes reach this part of the steepest."""


def shape_features(
    windows: np.ndarray, tails: np.ndarray, templates: np.ndarray, alike: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the features of leads by name, float64, shape (n_leads, n_beats).

    Parameters
    ----------
    windows, tails
        Millivolts, shape (n_leads, n_beats, n_window); see `Families.windows` and `Families.tails`.
    templates
        The usual beat in each lead, shape (n_leads, n_window).
    alike
        Which beats have its shape, shape (n_beats,).
    """
    x = windows - median(windows[..., LEVEL], -1)[..., None]
    t = templates - median(templates[:, LEVEL], -1)[:, None]
    span = np.maximum(np.ptp(t[:, QRS], axis=1), 1e-3)[:, None]
    x, t = x / span[..., None], t / span
    clear = windows - tails
    clear = (clear - median(clear[..., LEVEL], -1)[..., None]) / span[..., None]
    found = {"template_mv": np.log(span), **_qrs(x, t), **_p(x, t, alike), **_clear_p(clear, t, alike)}
    n = x.shape[1]
    return {name: values if values.shape[1] == n else values.repeat(n, axis=1) for name, values in found.items()}


def _qrs(x: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
    qrs, qrs_t, wave, wave_t = x[..., QRS], t[:, None, QRS], x[..., _T], t[:, None, _T]
    width, width_t = _width_s(x), _width_s(t[:, None])
    body, lag = _lagged(x, t, BODY)
    top, bottom, top_t, bottom_t = qrs.max(axis=2), qrs.min(axis=2), qrs_t.max(axis=2), qrs_t.min(axis=2)
    return {
        "qrs_likeness": _lagged(x, t, QRS)[0],
        "body_likeness": body,
        "lag": lag / FS,
        "qrs_span": np.log(top - bottom + 1e-3),
        "qrs_top": top - top_t,
        "qrs_bottom": bottom - bottom_t,
        "qrs_area": _mean(qrs) - _mean(qrs_t),
        "qrs_rectified": np.log((_mean(np.abs(qrs)) + 1e-3) / (_mean(np.abs(qrs_t)) + 1e-3)),
        "qrs_distance": _size(qrs - qrs_t),
        "qrs_width_s": width,
        "qrs_width_more_s": width - width_t,
        "steepest": np.log(_steepest(qrs) / _steepest(qrs_t)),
        "template_width_s": width_t,
        "template_peak": top_t + bottom_t,
        "t_area": _mean(wave) - _mean(wave_t),
        "t_likeness": _dot(unit(wave), unit(wave_t)),
        "t_span": np.log((np.ptp(wave, axis=2) + 0.01) / (np.ptp(wave_t, axis=2) + 0.01)),
    }


def _p(x: np.ndarray, t: np.ndarray, alike: np.ndarray) -> dict[str, np.ndarray]:
    """Return what stands before the QRS complex beside what usually does; before an early beat, a T wave too."""
    p, p_t = _straightened(x[..., _P]), _straightened(t[:, None, _P])
    early, early_t = _straightened(x[..., _EARLY_P]), _straightened(t[:, None, _EARLY_P])
    likeness = _dot(unit(p), unit(p_t))
    strength, residue = _size(p_t), _size(p - p_t)
    top_at = early.argmax(axis=2)
    return {
        "p_likeness": likeness,
        "p_size": _dot(p, p_t) / (_dot(p_t, p_t) + 1e-4),
        "p_residue": residue,
        "p_more": residue / (strength + 0.005),
        "p_span": np.ptp(p, axis=2),
        "template_p": strength,
        "p_steadiness": median(likeness[:, alike], 1)[:, None] if alike.any() else np.full((len(t), 1), np.nan),
        "early_top": np.take_along_axis(early, top_at[..., None], 2)[..., 0],
        "early_top_at_s": top_at / FS,
        "early_difference": _size(early - early_t),
    }


def _clear_p(clear: np.ndarray, t: np.ndarray, alike: np.ndarray) -> dict[str, np.ndarray]:
    """Return what stands before the QRS complex once the T wave of the beat before is taken away."""
    own = median(clear[:, alike], 1) if alike.any() else t
    p, p_t = _straightened(clear[..., _P]), _straightened(own[:, None, _P])
    residue = _size(p - p_t)
    noise = median(residue[:, alike], 1)[:, None] if alike.any() else np.full((len(t), 1), np.nan)
    model = unit(p_t)
    fits = (unit(_straightened(lagged(clear, _P, _P_LAGS))) @ model[:, 0, None, :, None])[..., 0]
    best = fits.argmax(axis=2)
    return {
        "clear_p_likeness": _dot(unit(p), model),
        "clear_p_size": _dot(p, p_t) / (_dot(p_t, p_t) + 1e-4),
        "clear_p_residue": residue,
        "clear_p_span": np.ptp(p, axis=2),
        "clear_p_best": np.take_along_axis(fits, best[..., None], 2)[..., 0],
        "clear_p_best_lag_s": np.array(_P_LAGS)[best] / FS,
        "clear_p_noise": noise,
        "clear_p_oddity": residue / (noise + 1e-3),
    }


def _mean(rows: np.ndarray) -> np.ndarray:
    """Return the mean along the last axis."""
    return np.asarray(np.add.reduce(rows, axis=-1) / rows.shape[-1])


def _size(rows: np.ndarray) -> np.ndarray:
    """Return the root mean square along the last axis."""
    return np.asarray(np.sqrt(_mean(rows * rows)))


def _dot(rows: np.ndarray, model: np.ndarray) -> np.ndarray:
    """Return the products of rows (n_leads, n, m) with a model of each lead, (n_leads, 1, m); shape (n_leads, n)."""
    return np.asarray((rows @ model.transpose(0, 2, 1))[..., 0])


def _straightened(rows: np.ndarray) -> np.ndarray:
    """Take away the line between the ends of the last axis."""
    first, last = _mean(rows[..., :5])[..., None], _mean(rows[..., -5:])[..., None]
    return np.asarray(rows - first - (last - first) * _line(rows.shape[-1]))


@cache
def _line(n: int) -> np.ndarray:
    return np.linspace(0, 1, n)


def _lagged(x: np.ndarray, t: np.ndarray, part: slice) -> tuple[np.ndarray, np.ndarray]:
    """Return the best correlation of a part with the usual one, and by how many samples it is late then."""
    shapes = unit(lagged(x, part, range(-LAG, LAG + 1)))
    fits = (shapes @ unit(t[:, part])[:, None, :, None])[..., 0]
    best = fits.argmax(axis=2)
    return np.take_along_axis(fits, best[..., None], 2)[..., 0], best - LAG


def _steepest(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(rows[..., 4:] - rows[..., :-4]).max(axis=-1) + 1e-3)


def _width_s(rows: np.ndarray) -> np.ndarray:
    """Return the duration of the complexes in seconds."""
    first, stop = QRS.start - 3, QRS.stop + 3
    slope = np.abs(rows[..., first + 2 : stop + 2] - rows[..., first - 2 : stop - 2])
    high = slope >= _SLOPE * slope.max(axis=-1, keepdims=True)
    return np.asarray((high.shape[-1] - 1 - high[..., ::-1].argmax(axis=-1) - high.argmax(axis=-1)) / FS)
