"""``heart12``: one network for diagnosis, rhythm, AF, age and sex, and boosted trees on figures beside it.

The network reads eight leads (`ecg_core.predictors.windows`) by the largest view that a recording allows
(`ecg_core.predictors.views`). Of a recording longer than a strip its answers are averaged over the strips, before they
are made probabilities and years: a passing rhythm that few strips show is not what the recording shows on the whole.
Trees on figures of the measured part (`ecg_core.predictors.figures`) are stacked where they were found to help. What
may be said of which recording is the business of `ecg_core.predictors.scope`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import numpy as np

from ecg_core.artefacts import RUNNERS, Artefact
from ecg_core.errors import InvalidValue
from ecg_core.predictors.base import PREDICTORS, Context, identity_of
from ecg_core.predictors.heart12_estimates import Estimate, Estimator
from ecg_core.predictors.scope import LEAST_AGE, judge
from ecg_core.predictors.value import (
    DEFAULT_POINT,
    OPERATING_POINTS,
    ConformalSet,
    Head,
    Identity,
    LabelAnswer,
    Likely,
    OperatingPoint,
    Prediction,
    Quantity,
)
from ecg_core.predictors.views import FULL, Reading
from ecg_core.predictors.windows import FS, STRIP_S, starts_s
from ecg_core.quality import Quality
from ecg_core.recording import Recording

MODEL = "heart12"
_RHYTHM, _PACED = "rhythm", "PACE"
_SEX, _FEMALE, _MALE = "sex", "female", "male"
_EXPERIMENTAL = "experimental: it was too rare in the data at hand to choose a threshold or to promise anything"
_EVEN, _MOST_LIKELY = 0.5, "most_likely"
_SAME_S = 0.1
"""Recordings that much shorter than a strip are as long as one."""
_SETS: Mapping[tuple[bool, bool], Likely] = {
    (True, True): "uncertain",
    (True, False): "present",
    (False, True): "absent",
    (False, False): "unlike",
}


class Heart12:
    """The model, ready to answer."""

    def __init__(self, artefact: Artefact) -> None:
        """Take all that it needs out of the artefact."""
        self.identity: Identity = identity_of(artefact)
        self.estimator = Estimator(artefact)
        self._heads = self.estimator.heads

    def predict(self, contexts: Sequence[Context], operating_point: OperatingPoint = DEFAULT_POINT) -> list[Prediction]:
        """Answer for each recording, in order, calling labels at the thresholds of an operating point."""
        return [prediction for prediction, _ in self.answer(contexts, operating_point)]

    def answer(
        self, contexts: Sequence[Context], operating_point: OperatingPoint = DEFAULT_POINT
    ) -> list[tuple[Prediction, Estimate | None]]:
        """Do as `predict`, and return beside each prediction the estimate it rests on, None where it abstains."""
        if operating_point not in OPERATING_POINTS:
            raise InvalidValue(
                "no such operating point", field="operating_point", found=operating_point, options=OPERATING_POINTS
            )
        scopes = [judge(context) for context in contexts]
        asked = [at for at, scope in enumerate(scopes) if not scope.refusals]
        found = dict(zip(asked, self.estimator.estimate([contexts[at] for at in asked]), strict=True))
        answers: list[tuple[Prediction, Estimate | None]] = []
        for at, (context, scope) in enumerate(zip(contexts, scopes, strict=True)):
            estimate = found.get(at)
            if isinstance(estimate, Estimate):
                answers.append((self._say(context, estimate, operating_point), estimate))
            else:
                reasons = scope.refusals if estimate is None else (estimate,)
                answers.append((Prediction(self.identity, out_of_scope=reasons, cautions=scope.cautions), None))
        return answers

    def begin(self, recording: Recording, quality: Quality) -> Future[dict[str, np.ndarray]] | None:
        """Set to work as soon as the quality is known, where something will be said."""
        age = recording.subject.age
        return None if age is not None and age < LEAST_AGE else self.estimator.begin(recording, quality)

    def _say(self, context: Context, estimate: Estimate, point: OperatingPoint) -> Prediction:
        """Return what is said of a recording: the estimate, short of what may not be said."""
        view, reading = self.estimator.views[estimate.reading.view], estimate.reading
        scope = judge(context, incomplete=_incomplete(reading), looks_paced=self._looks_paced(estimate))
        as_fitted = _as_fitted(context, estimate)
        reasons = {
            label: reason
            for labels in self._heads.heads.values()
            for label in labels
            if (reason := scope.reason(label))
        }
        answers = self._answers(estimate, point)
        heads: dict[str, Head] = {
            head: {
                label: LabelAnswer(None, reason=reasons[label]) if label in reasons else answers[at]
                for label, at in labels.items()
            }
            for head, labels in self._heads.heads.items()
        }
        female = float(estimate.probability[self._heads.heads[_SEX][_FEMALE]])
        heads[_SEX] = {
            sex: LabelAnswer(probability, _EVEN, probability > _EVEN, _MOST_LIKELY)
            for sex, probability in ((_FEMALE, female), (_MALE, 1 - female))
        }
        years, low, high = estimate.years
        heads["age"] = Quantity(years, low, high, "years", self._heads.coverage if as_fitted else None)
        withheld = {
            f"{head}.{label}": reasons[label]
            for head, labels in self._heads.heads.items()
            for label in labels
            if label in reasons
        }
        conformal = self._conformal(estimate, reasons) if as_fitted else {}
        return Prediction(
            self.identity,
            heads,
            reading.view,
            reading.leads,
            conformal,
            withheld=withheld,
            cautions=(*scope.cautions, *self._cautions(context, estimate)),
            accuracy=view.lost.get(str(len(reading.lost)), {}) if reading.lost else view.accuracy,
        )

    def _answers(self, estimate: Estimate, point: OperatingPoint) -> list[LabelAnswer]:
        """Return the answer of every label, in the order of the outputs."""
        view = self.estimator.views[estimate.reading.view]
        found = []
        columns = estimate.probability.tolist(), view.thresholds[point].tolist(), view.experimental.tolist()
        for probability, threshold, experimental in zip(*columns, strict=True):
            if experimental or math.isnan(threshold):
                found.append(LabelAnswer(probability, experimental=True, reason=_EXPERIMENTAL))
            else:
                found.append(LabelAnswer(probability, threshold, probability >= threshold, point))
        return found

    def _conformal(self, estimate: Estimate, withheld: Mapping[str, str]) -> dict[str, ConformalSet]:
        """Return the sets of every head, without the labels that are withheld."""
        view = self.estimator.views[estimate.reading.view]
        present, absent = estimate.probability >= view.present, estimate.probability <= view.absent
        holds = [_SETS[pair] for pair in zip(present.tolist(), absent.tolist(), strict=True)]
        claimed = np.isfinite(view.present).tolist()
        return {
            head: ConformalSet(
                self._heads.coverage,
                {label: holds[at] for label, at in labels.items() if claimed[at] and label not in withheld},
            )
            for head, labels in self._heads.heads.items()
        }

    def _looks_paced(self, estimate: Estimate) -> str | None:
        """Return why the network takes the rhythm for paced, or None: slow recordings show no spikes.

        What is withheld for safety does not hang on the operating point that the caller likes.
        """
        at = self._heads.heads[_RHYTHM].get(_PACED)
        threshold = self.estimator.views[estimate.reading.view].thresholds[DEFAULT_POINT]
        if at is None or not estimate.probability[at] >= threshold[at]:
            return None
        return f"so it looks, with a probability of {estimate.probability[at]:.2f}"

    def _cautions(self, context: Context, estimate: Estimate) -> list[str]:
        """Return what to bear in mind with this model's answers to a recording."""
        recording, reading = context.recording, estimate.reading
        found = []
        if reading.view != FULL:
            found.append(f"read from {', '.join(reading.leads)} alone, with the accuracy that was measured for that")
        if reading.lost:
            found.append(f"read without {', '.join(reading.lost)}, with the accuracy that was measured for that loss")
        if reading.computed:
            found.append(f"{', '.join(reading.computed)} computed from other limb leads")
        if recording.fs < FS:
            found.append(f"{recording.fs:g} Hz is slower than what the model learned from ({FS:g} Hz)")
        if recording.duration_s < STRIP_S - _SAME_S:
            found.append(f"{recording.duration_s:.1f} s were recorded, of the {STRIP_S:g} s that the model reads")
        planned = len(starts_s(recording.duration_s))
        if planned > 1:
            found.append(
                f"averaged over {estimate.n_strips} strips of {STRIP_S:g} s out of {recording.duration_s:.0f} s: "
                "a passing rhythm may be missed"
            )
        return found


def _incomplete(reading: Reading) -> str | None:
    """Return what of the twelve leads is not read, in words; None where all are."""
    if reading.view != FULL:
        return f"only {', '.join(reading.leads)} can be read"
    return f"{', '.join(reading.lost)} cannot be read" if reading.lost else None


def _as_fitted(context: Context, estimate: Estimate) -> bool:
    """Return whether a recording is of the kind that promises of coverage were measured on."""
    duration_s = context.recording.duration_s
    return not estimate.reading.lost and estimate.n_strips == 1 and duration_s >= STRIP_S - _SAME_S


def _run(artefact: Artefact, recording: Recording) -> dict[str, np.ndarray]:
    from ecg_core.predictors.chain import examine

    model = Estimator(artefact)
    (found,) = model.estimate([examine(recording)])
    if isinstance(found, str):
        empty = {"logits": len(model.heads.outputs), "probabilities": len(model.heads.labels), "years": 3}
        return {name: np.full(size, np.nan) for name, size in empty.items()}
    return {"logits": found.logits, "probabilities": found.probability, "years": np.array(found.years)}


PREDICTORS.register(MODEL, Heart12)
RUNNERS.register(MODEL, _run)
