"""From the answers of neighbouring windows to episodes."""

from __future__ import annotations

import numpy as np

from ecg_core.rhythm.value import LABELS, RhythmEpisode


def smooth(probabilities: np.ndarray, prior: np.ndarray, stay: float) -> np.ndarray:
    """Return the probabilities of each window given all windows, as a hidden Markov model has them.

    A rhythm goes on into the next window with probability ``stay``; otherwise the next one is drawn by the prior. One
    window alone keeps its probabilities.

    Parameters
    ----------
    probabilities
        Of each window by itself, shape (n_windows, n_labels); rows of NaN say nothing.
    prior
        Shape (n_labels,), what the probabilities refer to.
    """
    said = np.where(np.isnan(probabilities), 1.0, probabilities / prior)
    change = stay * np.eye(len(prior)) + (1 - stay) * prior
    forward, backward = np.empty_like(said), np.empty_like(said)
    state = prior
    for at, row in enumerate(said):
        state = row * (state @ change if at else state)
        state = state / state.sum()
        forward[at] = state
    state = np.ones(len(prior))
    for at in range(len(said) - 1, -1, -1):
        backward[at] = state
        state = change @ (said[at] * state)
        state = state / state.sum()
    both = forward * backward
    return np.asarray(both / both.sum(axis=1, keepdims=True))


def find_episodes(edges_s: np.ndarray, labels: np.ndarray, probabilities: np.ndarray) -> tuple[RhythmEpisode, ...]:
    """Return the runs of windows with one label.

    Parameters
    ----------
    edges_s
        Where windows begin and end, shape (n_windows + 1,).
    labels
        Numbers in `LABELS`, -1 where a window was not read, shape (n_windows,).
    probabilities
        Shape (n_windows, 4).
    """
    starts = np.flatnonzero(np.diff(labels, prepend=-2))
    stops = np.append(starts[1:], len(labels))
    return tuple(
        RhythmEpisode(
            float(edges_s[start]),
            float(edges_s[stop]),
            LABELS[labels[start]],
            float(np.average(probabilities[start:stop, labels[start]], weights=np.diff(edges_s[start : stop + 1]))),
        )
        for start, stop in zip(starts, stops, strict=True)
        if labels[start] >= 0
    )
