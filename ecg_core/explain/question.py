"""What is asked of the network: one answer as a sum, and the strip of the recording that it is explained on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.explain.titles import title_of
from ecg_core.explain.value import Explanation, Method
from ecg_core.explain.words import Way
from ecg_core.findings.statements import RHYTHMS
from ecg_core.predictors import Context, Prediction
from ecg_core.predictors.heads import AGE, Terms
from ecg_core.predictors.heart12 import Heart12
from ecg_core.predictors.heart12_estimates import Estimate
from ecg_core.predictors.windows import INPUTS, STRIP_S

MALE, YEARS = "sex.male", "age.years"
_FEMALE, _FIRST = "sex.female", "superclass"
_MATERIAL = 0.5
"""Log odds, or years, from which on it is said what the trees add."""
_MISSED = 0.2
"""What parts may miss the answer by without a word."""
_MOST_ODDS = 60.0
_EVEN = 0.5
_RHYTHM_HEADS = ("rhythm", "af")


def labels_of(model: Heart12) -> tuple[str, ...]:
    """Return what can be explained, superclasses first."""
    heads = model.estimator.heads.heads
    order = sorted(heads, key=lambda head: head != _FIRST)
    return (*(f"{head}.{label}" for head in order for label in heads[head]), MALE, YEARS)


@dataclass(frozen=True, eq=False)
class Strip:
    """What the network reads at a time."""

    start_s: float
    signal: np.ndarray
    """mV at 100 Hz, float32, shape (1000, 8)."""
    answer: float
    of: int
    """How many strips there are in the recording."""


@dataclass(frozen=True, eq=False)
class Question:
    """One answer of the model to one recording: ``terms.slope`` times the network's, and what is held fixed."""

    model: Heart12
    context: Context
    label: str
    prediction: Prediction
    estimate: Estimate
    output: str
    """The network's name for it."""
    terms: Terms

    @classmethod
    def of(cls, model: Heart12, context: Context, label: str) -> Question:
        """Ask; what the model would not say is refused."""
        ((prediction, estimate),) = model.answer([context])
        if estimate is None:
            raise InvalidValue(
                "the model says nothing of this recording", field="recording", found="; ".join(prediction.out_of_scope)
            )
        if reason := prediction.withheld.get(label):
            raise InvalidValue(f"the model withholds {label}", field="recording", found=reason)
        view = model.estimator.views[estimate.reading.view]
        if label == YEARS:
            return cls(model, context, label, prediction, estimate, AGE[0], view.age.terms(estimate.from_trees))
        head, name = (_FEMALE if label == MALE else label).split(".", 1)
        at = model.estimator.heads.heads[head][name]
        terms = view.terms(at, estimate.from_trees)
        output = model.estimator.heads.labels[at]
        return cls(model, context, label, prediction, estimate, output, terms.reversed() if label == MALE else terms)

    @property
    def unit(self) -> Literal["log odds", "years"]:
        """Of the answer and its parts."""
        return "years" if self.label == YEARS else "log odds"

    @property
    def leads(self) -> tuple[int, ...]:
        """Numbers of the leads of a strip that are read."""
        return tuple(INPUTS.index(lead) for lead in self.estimate.reading.leads)

    def way(self, answer: float) -> Way:
        """Return what is worth telling: what speaks for an answer that is called (or likely), else against it."""
        probability = self.probability(answer)
        if probability is None:
            return "up" if answer >= self.base + self.terms.trees else "down"
        head, name = self.label.split(".", 1)
        said = self.prediction.labels(head)[name].threshold
        return "for" if probability >= (_EVEN if said is None else said) else "against"

    @cached_property
    def column(self) -> int:
        """Number of the network's output."""
        return self.model.estimator.heads.outputs.index(self.output)

    @cached_property
    def base(self) -> float:
        """The answer to straight lines, but for the trees."""
        return self.terms.slope * float(self.model.estimator.flat[self.column]) + self.terms.offset

    def answers(self, logits: np.ndarray) -> np.ndarray:
        """Return answers, shape (n,), to what the network says, shape (n, n_outputs)."""
        said = logits[:, self.column].astype(np.float64)
        return np.asarray(self.terms.slope * said + self.terms.trees + self.terms.offset)

    def probability(self, answer: float) -> float | None:
        """Return the probability that an answer is; None of years."""
        if self.unit == "years":
            return None
        return 1 / (1 + math.exp(-min(max(answer, -_MOST_ODDS), _MOST_ODDS)))

    @cached_property
    def answer(self) -> float:
        """The answer to the recording as a whole."""
        return float(self.answers(self.estimate.logits[None])[0])

    @cached_property
    def strip(self) -> Strip:
        """The strip of the recording that speaks most for the answer."""
        estimator = self.model.estimator
        every = list(estimator.strips(self.context.recording, self.estimate.reading))
        if len(every) == 1:
            return Strip(every[0][0], every[0][1], self.answer, 1)
        answers = self.answers(estimator.network(np.stack([strip for _, strip in every]), ["logits"])["logits"])
        at = int(answers.argmax())
        return Strip(*every[at], float(answers[at]), len(every))

    def explained(
        self,
        method: Method,
        sentence: str,
        *,
        strip: Strip | None = None,
        added: float | None = None,
        cautions: Sequence[str] = (),
        **parts: Any,
    ) -> Explanation:
        """Return the explanation of the answer to a strip, or to the recording as a whole.

        Parameters
        ----------
        method, sentence, cautions, **parts
            As in `Explanation`.
        strip
            What was explained; None: all of the recording.
        added
            The sum of the parts; None where they are no parts of a sum.
        """
        answer = self.answer if strip is None else strip.answer
        residual = 0.0 if added is None else answer - self.base - self.terms.trees - added
        if abs(residual) >= _MISSED:
            cautions = (*cautions, f"the parts miss the answer by {residual:+.1f} {self.unit}")
        start_s, end_s = (0.0, self._duration_s) if strip is None else self.span_s(strip)
        return Explanation(
            model=self.model.identity,
            label=self.label,
            title=title_of(self.label),
            method=method,
            probability=self.probability(answer),
            answer=answer,
            unit=self.unit,
            base=self.base,
            trees=self.terms.trees,
            residual=residual,
            adds_up=added is not None,
            start_s=start_s,
            end_s=end_s,
            leads=self.estimate.reading.leads,
            sentence=sentence,
            cautions=(*self.prediction.cautions, *self._cautions(strip), *cautions),
            **parts,
        )

    def span_s(self, strip: Strip) -> tuple[float, float]:
        """Return where what was recorded of a strip begins and ends, seconds from the first sample."""
        return strip.start_s, min(strip.start_s + STRIP_S, self._duration_s)

    @property
    def _duration_s(self) -> float:
        return self.context.recording.duration_s

    def _cautions(self, strip: Strip | None) -> Iterator[str]:
        head, name = self.label.split(".", 1)
        answer = self.prediction.labels(head).get(name)
        if answer is not None and answer.experimental and answer.reason:
            yield answer.reason
        if abs(self.terms.trees) >= _MATERIAL:
            yield (
                f"boosted trees on measured figures add {self.terms.trees:+.1f} {self.unit} to this answer beside the "
                "network, which is not split further"
            )
        if strip is not None and (head in _RHYTHM_HEADS or name in RHYTHMS):
            yield "a rhythm lies in when the waves come, which no single wave shows: look at the intervals as well"
        if strip is not None and strip.of > 1:
            start_s, end_s = self.span_s(strip)
            whole = f"{self.answer:.1f} years" if (p := self.probability(self.answer)) is None else f"{p:.2f}"
            yield (
                f"explained on {start_s:.1f} to {end_s:.1f} s, of {strip.of} strips the one that speaks most for it; "
                f"over all of them the answer is {whole}"
            )
