"""The bundled set: synthetic, graded by noise, the same everywhere."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.data import app
from ecg_core.datasets import DATASETS
from ecg_core.datasets.bundled import GRADES, HEARTS, grade_of, make_record
from ecg_core.errors import InvalidValue, UnknownName

BUNDLED = DATASETS["bundled"]


def entry(name: str):
    return next(found for found in BUNDLED.listing() if found.name == name)


def test_every_heart_stands_in_every_grade_and_nothing_is_made_before_it_is_asked_for():
    make_record.cache_clear()
    listing = BUNDLED.listing()
    assert make_record.cache_info().currsize == 0
    assert [found.name for found in listing] == [f"{heart}_{grade}" for grade in GRADES for heart in HEARTS]
    assert len(HEARTS) == 24
    assert {found.group for found in listing} == {f"bundled:{heart}" for heart in HEARTS}


def test_the_set_is_found_whatever_the_root(tmp_path):
    assert len(BUNDLED.listing(tmp_path)) == len(BUNDLED.listing()) == 168
    assert not list(tmp_path.iterdir())


def test_splits_are_the_grades():
    entries = BUNDLED.listing().entries
    assert list(BUNDLED.splits) == list(GRADES) == ["clean", "24dB", "18dB", "12dB", "6dB", "0dB", "-6dB"]
    assert {grade_of(found.name) for found in BUNDLED.choose(entries, "-6dB")} == {"-6dB"}
    with pytest.raises(InvalidValue, match="options: clean, 24dB"):
        BUNDLED.choose(entries, "12")
    with pytest.raises(InvalidValue, match="not a record of the bundled set"):
        grade_of("100")


def test_records_are_the_same_in_every_process():
    made = entry("af_II_6dB").load()
    steps = np.rint(made.signal.astype(np.float64) * 100).astype("<i4")
    assert hashlib.sha256(steps.tobytes()).hexdigest()[:16] == "3b4fdb666b69cd0f"


def test_records_of_twelve_leads_and_of_one_have_the_challenges_length_and_rate():
    for name, leads in (("lbbb_12leads_12dB", 12), ("pvc_V5_12dB", 1)):
        recording = entry(name).load()
        assert (recording.n_leads, recording.fs, recording.duration_s) == (leads, 500.0, 10.0)
        assert recording.source is not None
        assert recording.source.format == "synthetic"


@pytest.mark.parametrize("grade", [grade for grade, db in GRADES.items() if db is not None])
def test_noise_is_as_strong_as_the_grade_says(grade):
    for heart in ("sinus_12leads", "af_II", "pvc_V5"):
        made = make_record(heart, grade).truth
        recorded = [made.snr_db[lead] for lead in made.leads if lead in ("I", "II", "V5")]
        np.testing.assert_allclose(recorded, GRADES[grade], atol=0.01)


def test_clean_records_are_clean_and_wandering_ones_wander_in_every_other_grade():
    assert make_record("wandering_II", "clean").truth.noise == {}
    for grade in list(GRADES)[1:]:
        assert make_record("wandering_II", grade).truth.noise["baseline"] == -12.0


def test_beats_are_timed_at_the_peak_of_the_lead_that_is_read():
    of_lead = entry("lbbb_V2_clean")
    truth, recording = of_lead.truth(), of_lead.load()
    inside = truth.r_s[(truth.r_s > 0.2) & (truth.r_s < 9.8)]
    values = np.abs(recording.lead("V2"))
    for at in np.rint(inside * recording.fs).astype(int):
        assert values[at] == pytest.approx(values[at - 60 : at + 60].max(), rel=0.02)
    assert truth.lead == "V2"
    assert entry("lbbb_12leads_clean").truth().lead == "II"


def test_hearts_cover_what_detectors_stumble_over():
    rhythms, shapes = {heart.rhythm for heart in HEARTS.values()}, {heart.shape for heart in HEARTS.values()}
    assert {"af", "flutter", "pac", "pvc", "bigeminy", "paced", "block_2_to_1"} <= rhythms
    assert {"lbbb", "rbbb", "lvh", "long_qt"} <= shapes
    assert sum(len(heart.leads) == 1 for heart in HEARTS.values()) == 12
    assert {len(heart.leads) for heart in HEARTS.values()} == {1, 12}
    amplitude = np.ptp(make_record("low_amplitude_I", "clean").recording.signal)
    assert 0.05 < amplitude < 0.5


def test_there_is_nothing_to_download_or_verify_and_the_commands_say_so():
    assert BUNDLED.download().fetched == 0
    for command in ("get", "verify"):
        result = CliRunner().invoke(app, [command, "bundled"], env={"COLUMNS": "200"})
        assert result.exit_code == 0
        assert "made in memory" in result.stdout


def test_a_name_that_is_no_set_lists_the_bundled_one():
    with pytest.raises(UnknownName, match="did you mean 'bundled'"):
        DATASETS["bundle"]
