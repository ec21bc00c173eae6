"""Keeping examples that are costly to make between runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from training.beats_examples import Example


def kept(path: Path, make: Callable[[], Iterable[Example]]) -> list[Example]:
    """Return the examples that ``path`` holds; make them, and keep them there, where it holds none.

    They must have the same marks in every lead.
    """
    if not path.exists():
        part = path.with_name(f".{path.name}.part.npz")
        _save(part, list(make()))
        part.replace(path)
    return _load(path)


def _save(path: Path, examples: list[Example]) -> None:
    texts = np.array([(example.data, example.name, example.group, example.hash) for example in examples])
    known = [np.array(example.known[0], np.float64).reshape(-1, 2) for example in examples]
    beats = [example.beats[0] for example in examples]
    np.savez(
        path,
        texts=texts.reshape(-1, 4),
        shapes=np.array([example.signal.shape for example in examples], np.int64).reshape(-1, 2),
        signal=np.concatenate([example.signal.ravel() for example in examples]),
        n_beats=np.array([len(row) for row in beats]),
        beats=np.concatenate(beats),
        n_known=np.array([len(row) for row in known]),
        known=np.concatenate(known),
    )


def _load(path: Path) -> list[Example]:
    with np.load(path, allow_pickle=False) as packed:
        arrays = {name: packed[name] for name in packed.files}
    shapes = arrays["shapes"]
    signals = np.split(arrays["signal"], np.cumsum(shapes.prod(axis=1))[:-1])
    beats = np.split(arrays["beats"], np.cumsum(arrays["n_beats"])[:-1])
    known = np.split(arrays["known"], np.cumsum(arrays["n_known"])[:-1])
    return [
        Example(
            *(str(text) for text in texts),
            signal.reshape(shape),
            (marks,) * int(shape[0]),
            ([(float(a), float(b)) for a, b in spans],) * int(shape[0]),
        )
        for texts, signal, shape, marks, spans in zip(arrays["texts"], signals, shapes, beats, known, strict=True)
    ]
