"""Scoring pacing: verdicts by recording and strip, spikes against annotated paced beats."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.evaluation import measure
from ecg_core.evaluation.pacing import add_tallies, score_pacing, tally_spikes, tally_verdict


def metrics(records) -> dict[str, float | None]:
    found = measure(score_pacing(records), [str(at) for at in range(len(records))], resamples=20)
    return {name: metric.value for name, metric in found.items()}


def test_verdicts_that_were_not_reached_count_as_not_paced():
    truths, found = (True, True, True, False, False), (True, None, False, True, None)
    figures = metrics([tally_verdict("recordings", truth, said) for truth, said in zip(truths, found, strict=True)])
    assert figures == {
        "se_recordings": pytest.approx(1 / 3),
        "sp_recordings": pytest.approx(1 / 2),
        "judged_recordings": pytest.approx(3 / 5),
    }


def test_spikes_are_matched_one_to_one_for_beats_and_by_nearness_for_spikes():
    paced = np.array([1.0, 2.0, 3.0])
    spikes = np.array([0.95, 1.8, 2.0, 2.05, 3.4])
    tally = tally_spikes(paced, spikes)
    assert (tally["beats.paced"], tally["beats.found"]) == (3, 2)
    assert (tally["spikes.n"], tally["spikes.right"]) == (5, 3)


def test_spikes_where_no_beat_is_paced_are_all_wrong():
    tally = tally_spikes(np.empty(0), np.array([1.0, 2.0]))
    figures = metrics([tally, tally_spikes(np.array([1.0]), np.empty(0))])
    assert figures == {"se_beats": 0.0, "ppv_spikes": 0.0}


def test_tallies_of_strips_add_up_within_a_record():
    strips = [tally_verdict("strips", True, True), tally_verdict("strips", True, False)]
    assert metrics([add_tallies(strips)])["se_strips"] == pytest.approx(0.5)
