"""The shapes that travel over HTTP, with their units. Imports pydantic alone, so that clients can share them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

NOTICE = "Research use, not a medical device. Suggested statements, unconfirmed: they need a physician's over-read."


class Schema(BaseModel):
    """What all shapes share: unknown fields are ignored, so that an older client reads a newer answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Subject(Schema):
    """What the file, or whoever sent it, says about the person."""

    id: str | None = Field(default=None, description="Identifier in the file.", examples=["P-0042"])
    age: float | None = Field(default=None, description="Years at the time of the recording.", examples=[63])
    sex: Literal["female", "male"] | None = Field(default=None, examples=["female"])
    facts: dict[str, Any] = Field(default={}, description="Other named facts.", examples=[{"height_cm": 171}])


class Step(Schema):
    """One step applied to the recording, with everything needed to apply it again."""

    name: str = Field(examples=["resample"])
    parameters: dict[str, Any] = Field(default={}, examples=[{"fs": 500, "method": "polyphase"}])


class Recording(Schema):
    """An ECG as it was read, short of its samples."""

    format: str | None = Field(description="Name of the format it was recognised as.", examples=["wfdb"])
    name: str | None = Field(description="Name of the (main) file: a label, nothing more.", examples=["100.hea"])
    sha256: str | None = Field(description="Of the file; of several, of the list of their checksums.")
    fs: float = Field(description="Samples per second of every lead.", examples=[500])
    leads: list[str] = Field(description="Lead names, in the order of the file.", examples=[["I", "II", "V1"]])
    derived: list[str] = Field(
        default=[], description="Leads computed from others instead of recorded.", examples=[["aVR"]]
    )
    n_samples: int = Field(description="Samples of every lead.", examples=[5000])
    duration_s: float = Field(description="Length in seconds.", examples=[10.0])
    start: str | None = Field(
        default=None, description="Date and time of the first sample (ISO 8601), if the file says so."
    )
    annotations: dict[str, int] = Field(
        default={}, description="Marks that came with the file: how many, by annotator."
    )
    history: list[Step] = Field(default=[], description="Every step applied since the file was read.")
    warnings: list[str] = Field(
        [],
        description="Every assumption made on reading, and whatever looks wrong in the recording.",
        examples=[["units: mV, stated by the file", "flat: V3: one value throughout"]],
    )


class HeartRate(Schema):
    """Beats per minute, or the reason why there is no figure."""

    bpm: float | None = Field(description="60 over the median RR interval, in beats per minute.", examples=[72.3])
    mean_bpm: float | None = Field(
        default=None, description="60 over the mean RR interval, in beats per minute.", examples=[71.9]
    )
    low: float | None = Field(description="60 over the longest RR interval, in beats per minute.", examples=[68.1])
    high: float | None = Field(description="60 over the shortest RR interval, in beats per minute.", examples=[77.0])
    reason: str | None = Field(default=None, description="Why there is no figure, where there is none.")


class RrSummary(Schema):
    """The intervals from a beat to the next, none across what was not recorded, or the reason why there are none."""

    n: int = Field(description="Intervals.", examples=[11])
    median_ms: float | None = Field(description="In milliseconds.", examples=[830.0])
    mean_ms: float | None = Field(description="In milliseconds.", examples=[834.2])
    min_ms: float | None = Field(description="Shortest, in milliseconds.", examples=[779.0])
    max_ms: float | None = Field(description="Longest, in milliseconds.", examples=[881.0])
    reason: str | None = Field(default=None, description="Why there is no figure, where there is none.")


class HrvFigure(Schema):
    """One figure of heart rate variability, or the reason why there is none."""

    value: float | None = Field(description="In the unit that its name ends with.", examples=[42.1])
    n: int = Field(description="Intervals, or pairs of intervals, that it rests on.", examples=[298])
    method: str = Field(description="How it was measured.", examples=["root mean square of successive differences"])
    reason: str | None = Field(default=None, description="Why there is no figure, where there is none.")


class Hrv(Schema):
    """Heart rate variability, from the intervals between normal beats (Task Force 1996)."""

    n_intervals: int = Field(description="Intervals between beats.", examples=[301])
    n_left_out: int = Field(
        description="Of these, left out: not 0.3-2.0 s, or over 20 % off the median around.", examples=[3]
    )
    figures: dict[str, HrvFigure] = Field(
        description="mean_nn_ms, sdnn_ms, rmssd_ms, pnn50_percent, sd1_ms, sd2_ms, sd1_sd2, vlf_ms2, lf_ms2, hf_ms2,"
        " lf_hf, lf_nu, hf_nu."
    )


class LeadQuality(Schema):
    """What one lead is good for."""

    verdict: Literal["good", "usable", "poor"] = Field(examples=["usable"])
    reasons: list[str] = Field(
        default=[], description="Each begins with what is wrong.", examples=[["mains: hum of 0.12 mV"]]
    )


class Suspicion(Schema):
    """An exchange of electrodes that may have happened. Nothing is corrected."""

    kind: str = Field(examples=["RA-LA"])
    title: str = Field(examples=["right arm and left arm exchanged"])
    leads: list[str] = Field(
        description="Leads that would not be what they are called.", examples=[["I", "II", "III", "aVR", "aVL"]]
    )
    confidence: float = Field(examples=[0.97])
    evidence: list[str] = Field(default=[], description="What speaks for it.")
    advice: str = Field(examples=["check the cables and record again"])
    undo: dict[str, tuple[int, str]] | None = Field(
        default=None,
        description="What each of these leads should be, by sign and recorded lead; null where a potential was lost.",
        examples=[{"I": [-1, "I"], "II": [1, "III"]}],
    )


class Quality(Schema):
    """What the recording is good for; analyses abstain from what is poor."""

    verdict: Literal["good", "usable", "poor"] = Field(examples=["good"])
    reasons: list[str] = Field(default=[], description="Why it is not good.", examples=[["poor: V3"]])
    unacceptable_probability: float | None = Field(
        description="That an expert would call the twelve leads unacceptable.", examples=[0.02]
    )
    unacceptable_reason: str | None = Field(
        default=None, description="Why there is no probability, where there is none."
    )
    model: dict[str, str] | None = Field(
        default=None,
        description="Name, version and sha256 of the model that gave it.",
        examples=[{"name": "quality", "version": "1.0.0"}],
    )
    leads: dict[str, LeadQuality] = Field(examples=[{"II": {"verdict": "good", "reasons": []}}])
    suspected: list[Suspicion] = Field(
        default=[], description="Exchanges of electrodes that may have happened, the most probable first."
    )
    suspected_reason: str | None = Field(default=None, description="Why that could not be judged, where it could not.")


BeatClass = Literal["N", "S", "V", "F", "Q"]


class Beats(Schema):
    """The heartbeats."""

    method: str = Field(description="Name of the detector.", examples=["robust"])
    leads: list[str] = Field(description="Leads that were searched; empty where none could be.", examples=[["II"]])
    times_s: list[float] = Field(
        description="Seconds from the first sample, increasing.", examples=[[0.412, 1.240, 2.066]]
    )
    confidence: list[float] | None = Field(
        default=None,
        description="Of each beat, 0 to 1; null where the detector gives none.",
        examples=[[0.99, 0.98, 0.99]],
    )
    classes: list[BeatClass] | None = Field(
        default=None, description="AAMI class of each beat; null where they were not told.", examples=[["N", "N", "V"]]
    )
    class_counts: dict[BeatClass, int] | None = Field(default=None, examples=[{"N": 9, "S": 0, "V": 1, "F": 0, "Q": 0}])
    classes_reason: str | None = Field(default=None, description="Why they were not told.")
    reason: str | None = Field(default=None, description="Why there are no beats, where there are none.")
    heart_rate: HeartRate
    rr: RrSummary | None = Field(default=None, description="The intervals in figures.")
    hrv: Hrv | None = Field(default=None, description="How the intervals vary.")


class Wave(Schema):
    """One wave, seen whole."""

    onset_s: float = Field(description="Seconds from the first sample.", examples=[0.242])
    peak_s: float = Field(description="Seconds from the first sample.", examples=[0.290])
    end_s: float = Field(description="Seconds from the first sample.", examples=[0.344])


BeatWaves = dict[Literal["p", "qrs", "t"], Wave]
"""The waves of one beat; what is absent, or not seen whole, is left out."""


class Waves(Schema):
    """When P, QRS and T of each beat begin, peak and end."""

    start_s: float = Field(description="The waves are those from here, in seconds from the first sample,", examples=[0])
    end_s: float = Field(description="to here.", examples=[10])
    part: str | None = Field(default=None, description="Which part of a long recording that is.")
    reason: str | None = Field(default=None, description="Why there are no waves, where there are none.")
    global_: list[BeatWaves] = Field(
        alias="global", description="Beat by beat, from the earliest onset to the latest end in any lead."
    )
    leads: dict[str, list[BeatWaves]] = Field(description="The same in each lead that was marked.")


class Range(Schema):
    """What is usual for the person."""

    low: float | None = Field(description="Null where there is no lower limit.", examples=[120])
    high: float | None = Field(description="Null where there is no upper limit.", examples=[200])
    high_included: bool = Field(default=True, description="Whether `high` itself is still usual.")
    source: str = Field(description="Who says so.", examples=["AHA/ACCF/HRS 2009 part III"])


class Measurement(Schema):
    """One value, or the reason why there is none."""

    value: float | None = Field(description="In the unit that its name ends with.", examples=[158.0])
    reason: str | None = Field(default=None, description="Why there is no value.")
    spread: float | None = Field(
        default=None, description="Robust standard deviation over the beats; null for fewer than three.", examples=[4.4]
    )
    n: int = Field(default=0, description="Beats, or intervals, that it rests on.", examples=[10])
    method: str = Field(description="How it was measured.", examples=["P onset to QRS onset, median over the beats"])
    range: Range | None = Field(default=None, description="What is usual; null where it is not known or not meant.")
    flag: Literal["low", "normal", "high"] | None = Field(
        default=None,
        description="Null without a range, and where a caution forbids the judgement.",
        examples=["normal"],
    )
    caution: str | None = Field(default=None, description="What the value must not be read without.")


class Measurements(Schema):
    """The table of an electrocardiograph, from the beats of the dominant shape. Nothing is clipped to what is usual."""

    hr_bpm: Measurement = Field(description="Mean heart rate.")
    rr_min_ms: Measurement = Field(description="Shortest interval between beats.")
    rr_max_ms: Measurement = Field(description="Longest interval between beats.")
    pr_ms: Measurement = Field(description="P onset to QRS onset.")
    p_ms: Measurement = Field(description="P duration.")
    qrs_ms: Measurement = Field(description="QRS duration.")
    qt_ms: Measurement = Field(description="QRS onset to T end.")
    jt_ms: Measurement = Field(description="QRS end to T end.")
    qtc_bazett_ms: Measurement = Field(description="QT / RR^(1/2).")
    qtc_fridericia_ms: Measurement = Field(description="QT / RR^(1/3).")
    qtc_framingham_ms: Measurement = Field(description="QT + 154 (1 - RR).")
    qtc_hodges_ms: Measurement = Field(description="QT + 1.75 (rate - 60).")
    p_axis_deg: Measurement = Field(description="Frontal axis of P, -180 to 180.")
    qrs_axis_deg: Measurement = Field(description="Frontal axis of QRS, -180 to 180.")
    t_axis_deg: Measurement = Field(description="Frontal axis of T, -180 to 180.")
    sokolow_lyon_mv: Measurement = Field(description="S in V1 + the larger R of V5 and V6.")
    cornell_mv: Measurement = Field(description="S in V3 + R in aVL.")
    r_transition: Measurement = Field(description="Where from V1 (1) to V6 (6) R outgrows Q and S.")
    leads: dict[str, dict[str, Measurement]] = Field(
        description="Of each lead: q_mv, r_mv, s_mv (sizes of the waves), st_j_mv, st_j40_mv, st_j60_mv, st_j80_mv."
    )
    notes: list[str] = Field(
        default=[], description="What was assumed or withheld.", examples=[["the age is unknown: an adult is assumed"]]
    )


RhythmLabel = Literal["N", "A", "O", "~"]


class Episode(Schema):
    """A stretch of one rhythm."""

    start_s: float = Field(description="Seconds from the first sample.", examples=[0.0])
    end_s: float = Field(description="Seconds from the first sample.", examples=[42.5])
    label: RhythmLabel = Field(examples=["A"])
    probability: float = Field(description="Of that rhythm, on average.", examples=[0.97])


class Rhythm(Schema):
    """The rhythm of one lead, or the reason why it was not told."""

    label: RhythmLabel | None = Field(
        description="N normal, A atrial fibrillation, O another rhythm, ~ too noisy. Of a long recording, the rhythm"
        " that lasted longest; null where none was told.",
        examples=["N"],
    )
    title: str | None = Field(default=None, description="The label in words.", examples=["normal rhythm"])
    probability: float | None = Field(default=None, description="Of the label.", examples=[0.98])
    probabilities: dict[RhythmLabel, float] | None = Field(
        default=None, description="Of all four labels.", examples=[{"N": 0.97, "A": 0.01, "O": 0.02, "~": 0.0}]
    )
    lead: str | None = Field(default=None, description="The lead that was read.", examples=["II"])
    reason: str | None = Field(default=None, description="Why it was not told, where it was not.")
    disagreement: str | None = Field(
        default=None,
        description="What in the same recording speaks against the label. It is shown, and not averaged in.",
        examples=["P waves are marked before 9 of 10 beats"],
    )
    episodes: list[Episode] = Field(default=[], description="In order of time; what could not be read lies in none.")
    af_burden: float | None = Field(
        default=None,
        description="Share of the time with a readable rhythm that was atrial fibrillation.",
        examples=[0.0],
    )
    unread_s: float = Field(default=0.0, description="Seconds of which nothing is said.")
    beats_method: str | None = Field(default=None, description="The detector whose beats were read.")
    model: dict[str, str] | None = Field(
        default=None,
        description="Name, version and sha256 of the model.",
        examples=[{"name": "rhythm", "version": "1.0.0"}],
    )


class Pacing(Schema):
    """Whether a pacemaker was at work, as its spikes show."""

    paced: bool | None = Field(description="Null where it cannot be judged. Small bipolar spikes can stay unseen.")
    times_s: list[float] = Field(default=[], description="Spikes, in seconds from the first sample.")
    chambers: list[Literal["atrial", "ventricular"]] = Field(default=[], description="What each spike seems to pace.")
    leads: list[str] = Field(default=[], description="Leads that show spikes.", examples=[["II", "V1"]])
    evidence: list[str] = Field(default=[], description="What speaks for pacing.")
    reason: str | None = Field(default=None, description="Why it cannot be judged.")


class UrgentFinding(Schema):
    """A critical finding by rule: suggested, unconfirmed, and independent of any network's statement."""

    code: str = Field(examples=["long_qtc"])
    text: str = Field(examples=["QTc 512 ms (Fridericia), over 500"])
    values: dict[str, float] = Field(description="What it rests on.", examples=[{"qtc_fridericia_ms": 512.0}])
    source: str = Field(description="Whose rule it is.", examples=["AHA/ACCF 2010 (Drew)"])


class Software(Schema):
    """What computed an answer."""

    name: str = Field(examples=["einthoven"])
    version: str = Field(examples=["0.1.0"])


class Provenance(Schema):
    """How the figures came about."""

    software: Software
    models: dict[str, Any] = Field(
        default={}, description="Each model used, with its version and the sha256 of its weights."
    )
    settings: dict[str, Any] = Field(default={}, examples=[{"beats": "robust"}])
    analysed_at: str = Field(description="Date and time (ISO 8601, UTC).", examples=["2026-01-31T09:30:00+00:00"])


class Signal(Schema):
    """Samples of every lead over one window."""

    fs: float = Field(description="Samples per second.", examples=[500])
    unit: Literal["mV"] = "mV"
    start_s: float = Field(
        default=0.0, description="Seconds from the first sample of the recording to that of the window."
    )
    leads: list[str] = Field(description="One name a row of `values`.", examples=[["I", "II"]])
    values: list[list[float | None]] = Field(
        description="Millivolts to the nearest 0.1 uV, one row a lead; null where nothing was recorded.",
        examples=[[[0.012, 0.015, None], [0.031, 0.029, 0.03]]],
    )


class Analysis(Schema):
    """What can be said about one recording. A figure that could not be had is null, and a reason stands beside it."""

    recording: Recording
    subject: Subject
    quality: Quality
    beats: Beats
    waves: Waves
    measurements: Measurements
    rhythm: Rhythm
    pacing: Pacing
    urgent: list[UrgentFinding] = Field(description="Critical findings by rule, the first thing to look at.")
    provenance: Provenance


class Prediction(Analysis):
    """The answer to an upload."""

    signal: Signal | None = Field(
        default=None, description="The first seconds of the part that was marked, where they were asked for."
    )
    notice: str = NOTICE


class Format(Schema):
    """A format that can be uploaded."""

    name: str = Field(examples=["edf"])
    title: str = Field(examples=["EDF, EDF+, BDF"])
    suffixes: list[str] = Field(
        description="Usual endings of its files. The content decides, not the name.", examples=[[".edf", ".bdf"]]
    )


class UploadLimits(Schema):
    """How much one upload may hold."""

    max_upload_bytes: int = Field(description="Bytes of the request's body.", examples=[104_857_600])
    max_files: int = Field(description="Files of one upload.", examples=[64])


class Info(Schema):
    """What this service is and takes."""

    name: str = Field(examples=["einthoven"])
    version: str = Field(examples=["0.1.0"])
    formats: list[Format]
    limits: UploadLimits
    notice: str = NOTICE


class Health(Schema):
    """Whether the service is up."""

    status: Literal["ok"] = "ok"


class InvalidField(Schema):
    """One field of a request that cannot be used."""

    field: str = Field(description="Where it stands, as a path.", examples=["body.fs"])
    problem: str = Field(examples=["Input should be greater than 0"])


class Problem(Schema):
    """What went wrong (RFC 9457). `code` is stable: programs branch on it, people read `detail`."""

    type: str = Field(examples=["urn:einthoven:problem:needs_option"])
    title: str = Field(description="The kind of problem, in a few words.", examples=["Needs option"])
    status: int = Field(description="The HTTP status.", examples=[422])
    code: str = Field(examples=["needs_option"])
    detail: str = Field(
        description="What happened, in a sentence.",
        examples=["ecg.csv: the file does not state its sampling rate"],
    )
    file: str | None = Field(default=None, description="The file concerned.", examples=["ecg.csv"])
    field: str | None = Field(default=None, description="The field or part concerned.")
    found: str | None = Field(default=None, description="The value found.")
    expected: str | None = Field(default=None, description="What was expected instead.")
    options: list[str] = Field(
        default=[], description="What can be done.", examples=[["say it: fs=<samples per second>"]]
    )
    errors: list[InvalidField] = Field(default=[], description="The fields of the request that cannot be used.")
