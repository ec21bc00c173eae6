"""Figures that trees read: what was built into an ECG comes out again, whatever the rate, and nothing else goes in."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ecg_core.leads import CHEST, STANDARD_12
from ecg_core.predictors.base import Context
from ecg_core.predictors.chain import examine
from ecg_core.predictors.figures import FULL, ONE, measure_figures, row_of, without_leads
from ecg_core.recording import Subject
from ecg_core.synthesis import synthesize


@cache
def seen(rhythm: str = "sinus", fs: float = 250.0, leads: tuple[str, ...] = STANDARD_12, seed: int = 1) -> Context:
    return examine(synthesize(rhythm, fs=fs, leads=leads, seed=seed).recording)


def test_names_are_all_different():
    assert len(set(FULL)) == len(FULL)
    assert len(set(ONE)) == len(ONE)


def test_intervals_and_voltages_are_those_of_the_table_of_measurements():
    context = seen()
    figures, table = context.figures, context.measurements
    for name, tolerance in (("pr_ms", 8), ("qrs_ms", 8), ("qt_ms", 12), ("qrs_axis_deg", 8), ("t_axis_deg", 8)):
        assert figures[name] == pytest.approx(table[name].value, abs=tolerance), name
    for name in ("sokolow_lyon_mv", "cornell_mv"):
        assert figures[name] == pytest.approx(table[name].value, rel=0.15), name
    for lead in ("II", "V2", "V5"):
        assert figures[f"{lead}.r_mv"] == pytest.approx(table.leads[lead]["r_mv"].value, abs=0.12), lead
        assert figures[f"{lead}.st_j_mv"] == pytest.approx(table.leads[lead]["st_j_mv"].value, abs=0.08), lead


def test_fibrillation_shows_in_intervals_and_p_waves():
    sinus, af = seen().figures, seen("af").figures
    assert af["rr_cv"] > 3 * sinus["rr_cv"]
    assert af["p_share"] < 0.5 < sinus["p_share"]
    assert af["II.p_coherence"] < sinus["II.p_coherence"]


def test_figures_do_not_rest_on_the_stated_rhythm_age_or_sex():
    context = seen("af")
    other = replace(
        context,
        rhythm=None,
        recording=replace(context.recording, subject=Subject(age=30, sex="female")),
        measurements=seen().measurements,
    )
    assert measure_figures(other) == dict(context.figures)
    assert context.rhythm.label == "A"


def test_every_other_beat_from_the_ventricles_shows_in_classes():
    figures = seen("bigeminy").figures
    assert figures["ectopic_step"] > 0.4
    assert figures["ectopic_step2"] < 0.3
    assert seen().figures["class_V"] < 0.1


@pytest.mark.parametrize("rhythm", ["sinus", "af"])
def test_the_rate_of_a_recording_hardly_shows(rhythm):
    slow, fast = seen(rhythm, 100.0).figures, seen(rhythm, 500.0).figures
    for name in ("rr_cv", "rr_nn10", "rr_sampen10", "II.p_coherence", "p_share"):
        assert fast[name] == pytest.approx(slow[name], abs=0.12), name
    for lead in STANDARD_12:
        for wave in ("r_mv", "s_mv", "t_max_mv"):
            assert fast[f"{lead}.{wave}"] == pytest.approx(slow[f"{lead}.{wave}"], abs=0.15), (lead, wave)


def test_a_single_lead_gives_its_own_figures_and_no_others():
    figures = seen(leads=("I",)).figures
    row = row_of(figures, ONE, "I")
    assert np.isfinite(row).mean() > 0.9
    assert not any(name.startswith(("II.", "V1.")) for name in figures)
    assert np.isnan(row_of(figures, FULL)[[FULL.index("V2.r_mv"), FULL.index("sokolow_lyon_mv")]]).all()
    assert row[ONE.index("lead.r_mv")] == np.float32(figures["I.r_mv"])


def test_leads_that_follow_from_others_need_not_be_recorded():
    whole, eight = seen().figures, seen(leads=("I", "II", *CHEST)).figures
    for name in ("aVF.r_mv", "III.t_max_mv", "qrs_axis_deg", "cornell_mv"):
        assert eight[name] == pytest.approx(whole[name], abs=0.05 if name.endswith("mv") else 3), name


def test_poor_leads_are_left_out():
    context = seen()
    lead = replace(context.quality.leads["V2"], verdict="poor")
    quality = replace(context.quality, leads={**context.quality.leads, "V2": lead})
    figures = measure_figures(replace(context, quality=quality))
    assert "V2.r_mv" not in figures
    assert figures["V3.r_mv"] == context.figures["V3.r_mv"]


def test_without_leads_blanks_what_rests_on_them():
    row = row_of(seen().figures, FULL)[None]
    found = without_leads(row, FULL, CHEST)[0]
    blank = {name for name, before, after in zip(FULL, row[0], found, strict=True) if after != before}
    assert {"V1.r_mv", "sokolow_lyon_mv", "r_transition", "cornell_mv", "total_mv"} <= blank
    assert not {"rr_cv", "II.r_mv", "qrs_axis_deg", "limb_low_mv"} & blank


def test_no_beats_give_no_figures():
    context = examine(replace(seen().recording, signal=np.zeros((12, 2500), np.float32)))
    assert np.isnan(row_of(measure_figures(context), FULL)).all()


def test_training_measures_as_service_does():
    pytest.importorskip("platformdirs")
    from training.tabular_data import measure_record

    context = seen("pvc", 100.0)
    full, one = measure_record(context.recording, judged=True)
    np.testing.assert_allclose(full, row_of(context.figures, FULL), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(one["I"], row_of(seen("pvc", 100.0, ("I",)).figures, ONE, "I"), rtol=1e-5, atol=1e-6)
    quick = measure_record(context.recording, judged=False)[1]
    np.testing.assert_array_equal(quick["I"], one["I"])
    assert np.isfinite(quick["II"]).mean() > 0.9


def test_a_long_recording_is_read_in_the_part_that_is_measured():
    context = examine(synthesize("af", fs=100.0, leads=("I", "II", "V1"), duration_s=75, seed=3).recording)
    part, figures = context.part, context.figures
    assert part.reason is not None
    inside = (context.beats.times_s >= part.start_s) & (context.beats.times_s < part.end_s)
    rr_s = np.diff(np.rint(100 * context.beats.times_s[inside]) / 100)
    assert figures["rr_cv"] == pytest.approx(rr_s.std() / rr_s.mean())
    assert np.isfinite([figures["II.r_mv"], figures["II.p_coherence"], figures["qrs_ms"], figures["class_V"]]).all()
