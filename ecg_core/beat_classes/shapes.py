"""How a beat differs from the person's usual one in a lead: QRS complex, T wave, and the P wave before.

Differences, so that a bundle branch block or a strange electrode position is no reason to call a beat ventricular.
Amplitudes are parts of the span of the usual QRS complex.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ecg_core.beat_classes.families import BEFORE, BODY, FS, LAG, LEVEL, QRS, lagged, median, unit

_P = slice(BEFORE - 62, BEFORE - 17)
_EARLY_P = slice(BEFORE - 88, BEFORE - 17)
_P_LAGS = range(-20, 13, 2)
_T = slice(BEFORE + 30, BEFORE + 115)
_SLOPE = 0.25
"""A complex lasts as long as its slopes reach this part of the steepest."""


def shape_features(
    windows: np.ndarray, tails: np.ndarray, template: np.ndarray, alike: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the features of one lead by name, float64, shape (n_beats,).

    Parameters
    ----------
    windows, tails
        Millivolts, shape (n_beats, n_window); see `Families.windows` and `Families.tails`.
    template
        The usual beat, shape (n_window,).
    alike
        Which beats have its shape.
    """
    x = windows - median(windows[:, LEVEL], 1)[:, None]
    t = template - median(template[LEVEL])
    span = max(float(np.ptp(t[QRS])), 1e-3)
    x, t = x / span, t / span
    clear = windows - tails
    clear = (clear - median(clear[:, LEVEL], 1)[:, None]) / span
    return {"template_mv": np.full(len(x), np.log(span)), **_qrs(x, t), **_p(x, t, alike), **_clear_p(clear, t, alike)}


def _qrs(x: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
    qrs, qrs_t = x[:, QRS], t[QRS]
    width, width_t = _width_s(x), _width_s(t[None])[0]
    body, lag = _lagged(x, t, BODY)
    return {
        "qrs_likeness": _lagged(x, t, QRS)[0],
        "body_likeness": body,
        "lag": lag / FS,
        "qrs_span": np.log(np.ptp(qrs, axis=1) + 1e-3),
        "qrs_top": qrs.max(axis=1) - qrs_t.max(),
        "qrs_bottom": qrs.min(axis=1) - qrs_t.min(),
        "qrs_area": qrs.mean(axis=1) - qrs_t.mean(),
        "qrs_rectified": np.log((np.abs(qrs).mean(axis=1) + 1e-3) / (np.abs(qrs_t).mean() + 1e-3)),
        "qrs_distance": np.sqrt(((qrs - qrs_t) ** 2).mean(axis=1)),
        "qrs_width_s": width,
        "qrs_width_more_s": width - width_t,
        "steepest": np.log(_steepest(qrs) / _steepest(qrs_t[None])),
        "template_width_s": np.full(len(x), width_t),
        "template_peak": np.full(len(x), qrs_t.max() + qrs_t.min()),
        "t_area": x[:, _T].mean(axis=1) - t[_T].mean(),
        "t_likeness": unit(x[:, _T]) @ unit(t[None, _T])[0],
        "t_span": np.log((np.ptp(x[:, _T], axis=1) + 0.01) / (np.ptp(t[_T]) + 0.01)),
    }


def _p(x: np.ndarray, t: np.ndarray, alike: np.ndarray) -> dict[str, np.ndarray]:
    """Return what stands before the QRS complex beside what usually does; before an early beat, a T wave too."""
    p, p_t = _straightened(x[:, _P]), _straightened(t[None, _P])[0]
    early, early_t = _straightened(x[:, _EARLY_P]), _straightened(t[None, _EARLY_P])
    likeness = unit(p) @ unit(p_t[None])[0]
    strength = float(np.sqrt((p_t**2).mean()))
    residue = np.sqrt(((p - p_t) ** 2).mean(axis=1))
    return {
        "p_likeness": likeness,
        "p_size": p @ p_t / (p_t @ p_t + 1e-4),
        "p_residue": residue,
        "p_more": residue / (strength + 0.005),
        "p_span": np.ptp(p, axis=1),
        "template_p": np.full(len(x), strength),
        "p_steadiness": np.full(len(x), median(likeness[alike]) if alike.any() else np.nan),
        "early_top": early.max(axis=1),
        "early_top_at_s": early.argmax(axis=1) / FS,
        "early_difference": np.sqrt(((early - early_t) ** 2).mean(axis=1)),
    }


def _clear_p(clear: np.ndarray, t: np.ndarray, alike: np.ndarray) -> dict[str, np.ndarray]:
    """Return what stands before the QRS complex once the T wave of the beat before is taken away."""
    own = median(clear[alike]) if alike.any() else t
    p, p_t = _straightened(clear[:, _P]), _straightened(own[None, _P])[0]
    residue = np.sqrt(((p - p_t) ** 2).mean(axis=1))
    noise = float(median(residue[alike])) if alike.any() else np.nan
    model = unit(p_t[None])[0]
    fits = (unit(_straightened(lagged(clear, _P, _P_LAGS))) @ model).T
    return {
        "clear_p_likeness": unit(p) @ model,
        "clear_p_size": p @ p_t / (p_t @ p_t + 1e-4),
        "clear_p_residue": residue,
        "clear_p_span": np.ptp(p, axis=1),
        "clear_p_best": fits.max(axis=0),
        "clear_p_best_lag_s": np.array(_P_LAGS)[fits.argmax(axis=0)] / FS,
        "clear_p_noise": np.full(len(clear), noise),
        "clear_p_oddity": residue / (noise + 1e-3),
    }


def _straightened(rows: np.ndarray) -> np.ndarray:
    """Take away the line between the ends of the last axis."""
    first, last = rows[..., :5].mean(axis=-1, keepdims=True), rows[..., -5:].mean(axis=-1, keepdims=True)
    return np.asarray(rows - first - (last - first) * _line(rows.shape[-1]))


@cache
def _line(n: int) -> np.ndarray:
    return np.linspace(0, 1, n)


def _lagged(x: np.ndarray, t: np.ndarray, part: slice) -> tuple[np.ndarray, np.ndarray]:
    """Return the best correlation of a part with the usual one, and by how many samples it is late then."""
    fits = unit(lagged(x, part, range(-LAG, LAG + 1))) @ unit(t[part])
    best = fits.argmax(axis=1)
    return fits[np.arange(len(x)), best], best - LAG


def _steepest(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(rows[:, 4:] - rows[:, :-4]).max(axis=1) + 1e-3)


def _width_s(rows: np.ndarray) -> np.ndarray:
    """Return the duration of the complexes in seconds."""
    first, stop = QRS.start - 3, QRS.stop + 3
    slope = np.abs(rows[:, first + 2 : stop + 2] - rows[:, first - 2 : stop - 2])
    high = slope >= _SLOPE * slope.max(axis=1, keepdims=True)
    return np.asarray((high.shape[1] - 1 - high[:, ::-1].argmax(axis=1) - high.argmax(axis=1)) / FS)
