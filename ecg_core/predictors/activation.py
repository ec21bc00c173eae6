"""What each moment adds to an answer of ``heart12``.

The network's last feature maps are pooled over time, by their mean and by attention (weights that sum to one over
time), and each answer is a linear function of what was pooled. So an answer is the sum of what each moment adds to it
and of a bias: nothing is approximated, given the weights that the attention settled on.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from ecg_core.artefacts import Artefact
from ecg_core.errors import ModelError

FILE = "head.npz"
MOMENT_S = 0.32
"""Seconds of signal to a moment of the feature maps."""


@dataclass(frozen=True, eq=False)
class Activation:
    """What the moments of one recording add to answers of the network."""

    outputs: tuple[str, ...]
    """Names of the answers, ``"superclass.MI"``."""
    start_s: np.ndarray
    """Where each moment begins, seconds from the first sample, shape (n_moments,); those of overlapping strips follow
    strip by strip, and moments beyond the end of a short recording are there too, since empty signal counts."""
    contributions: np.ndarray
    """Logits, shape (n_outputs, n_moments)."""
    bias: np.ndarray
    """Shape (n_outputs,)."""

    @property
    def logits(self) -> np.ndarray:
        """The answers of the network before calibration, shape (n_outputs,)."""
        return np.asarray(self.contributions.sum(axis=1) + self.bias)


class LinearHead:
    """The last step of the network: from feature maps to its answers."""

    def __init__(self, attention_kernel: np.ndarray, attention_bias: np.ndarray, kernel: np.ndarray, bias: np.ndarray):
        """Take the weights.

        Parameters
        ----------
        attention_kernel, attention_bias
            Of the attention, shapes (n_channels, n_heads) and (n_heads,); no heads pool by the mean alone.
        kernel
            Shape ((1 + n_heads) * n_channels, n_outputs): of the mean, then of each head.
        bias
            Shape (n_outputs,).
        """
        self._attention_kernel = np.asarray(attention_kernel, np.float64)
        self._attention_bias = np.asarray(attention_bias, np.float64)
        self.bias = np.asarray(bias, np.float64)
        channels, heads = self._attention_kernel.shape
        self._kernel = np.asarray(kernel, np.float64).reshape(1 + heads, channels, len(self.bias))

    @classmethod
    def of(cls, artefact: Artefact) -> LinearHead:
        """Read it from a model."""
        if FILE not in artefact.files:
            raise ModelError("the model has no such file", file=str(artefact.path), found=FILE, options=artefact.files)
        try:
            with np.load(io.BytesIO(artefact.files[FILE]), allow_pickle=False) as arrays:
                names = ("attention_kernel", "attention_bias", "kernel", "bias")
                return cls(*(arrays[name] for name in names))
        except (KeyError, ValueError, OSError) as error:
            raise ModelError("does not hold the weights", file=str(artefact.path / FILE), found=repr(error)) from error

    def contributions(self, maps: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return what each moment adds to some answers.

        Parameters
        ----------
        maps
            Shape (n_strips, n_moments, n_channels).
        columns
            Numbers of the answers, shape (n,).

        Returns
        -------
        Shape (n_strips, n_moments, n); its sum over moments, plus the bias, is the answer.
        """
        maps = np.asarray(maps, np.float64)
        drive = maps @ self._attention_kernel + self._attention_bias
        weight = np.exp(drive - drive.max(axis=1, keepdims=True, initial=-np.inf))
        weight /= weight.sum(axis=1, keepdims=True)
        even = np.full((*maps.shape[:2], 1), 1 / maps.shape[1])
        weights = np.concatenate([even, weight], axis=2)
        kernel = self._kernel[:, :, columns]
        return np.asarray(np.einsum("nth,ntc,hco->nto", weights, maps, kernel, optimize=True))
