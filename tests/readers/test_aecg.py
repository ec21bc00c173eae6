from datetime import UTC, datetime

import numpy as np
import pytest
from defusedxml import ElementTree

from ecg_core.errors import EcgError, LimitExceeded, NeedsOption, UnreadableFile, WriteError
from ecg_core.leads import INDEPENDENT_8, STANDARD_12
from ecg_core.readers import READERS, ReadOptions, Sniff
from ecg_core.reading import read
from ecg_core.recording import Recording

AECG = READERS["aecg"]
HL7 = "{urn:hl7-org:v3}"


def time_xml(head='value="20021122091000.000"', increment='value="0.002" unit="s"', kind="ABSOLUTE"):
    type_ = "GLIST_TS" if kind == "ABSOLUTE" else "GLIST_PQ"
    return f"""<component><sequence><code code="TIME_{kind}" codeSystem="2.16.840.1.113883.5.4"/>
      <value xsi:type="{type_}"><head {head}/><increment {increment}/></value></sequence></component>"""


def lead_xml(name, digits, *, scale='value="5" unit="uV"', origin='value="0" unit="uV"', kind="SLIST_PQ"):
    text = digits if isinstance(digits, str) else " ".join(map(str, digits))
    return f"""<component><sequence><code code="MDC_ECG_LEAD_{name}" codeSystem="2.16.840.1.113883.6.24"/>
      <value xsi:type="{kind}"><origin {origin}/><scale {scale}/><digits>{text}</digits></value>
      </sequence></component>"""


def set_xml(*sequences):
    return f"<component><sequenceSet>{''.join(sequences)}</sequenceSet></component>"


def series_xml(*content, code="RHYTHM", low="20021122091000"):
    interval = f'<effectiveTime><low value="{low}"/></effectiveTime>' if low else ""
    return f'<component><series><code code="{code}"/>{interval}{"".join(content)}</series></component>'


def document(*parts, prologue="", ns='xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prologue}<AnnotatedECG {ns}>{"".join(parts)}</AnnotatedECG>'.encode()
    )


def digits_of(seed, n=500):
    return np.random.default_rng(seed).integers(-300, 300, n).tolist()


ONE = series_xml(set_xml(time_xml(), lead_xml("II", [100, -200, 300])))


def test_digits_times_scale_plus_origin_are_the_samples():
    leads = (
        lead_xml("I", [1, -2], scale='value="5" unit="uV"', origin='value="0.1" unit="mV"'),
        lead_xml("AVR", ["1", "\n\t2 "], scale='value="0.0025" unit="mV"'),
        lead_xml("V1", [1000, 0], scale='value="2500" unit="nV"'),
    )
    recording = read({"a.xml": document(series_xml(set_xml(time_xml(), *leads)))})
    assert recording.source.format == "aecg"
    assert recording.leads == ("I", "aVR", "V1")
    np.testing.assert_allclose(recording.signal, [[0.105, 0.09], [0.0025, 0.005], [2.5, 0]], rtol=1e-5)


def test_integers_without_unit_are_settled_by_the_stated_rule():
    lead = lead_xml("I", [0, 900, -100], scale='value="1"', origin='value="0"', kind="SLIST_INT")
    recording = read({"a.xml": document(series_xml(set_xml(time_xml(), lead)))})
    assert recording.signal[0, 1] == pytest.approx(0.9)
    assert any("does not state them" in note for note in recording.warnings)


@pytest.mark.parametrize(
    ("increment", "fs"),
    [
        ('value="0.002" unit="s"', 500.0),
        ('value="4" unit="ms"', 250.0),
        ('value="2000" unit="us"', 500.0),
        ('value="0.0027777777777777779" unit="s"', 360.0),
    ],
)
@pytest.mark.parametrize(("kind", "head"), [("ABSOLUTE", 'value="20021122091000"'), ("RELATIVE", 'value="0" unit="s"')])
def test_rate_is_the_inverse_of_the_increment(increment, fs, kind, head):
    data = document(series_xml(set_xml(time_xml(head, increment, kind), lead_xml("II", [1, 2]))))
    assert read({"a.xml": data}).fs == fs


@pytest.mark.parametrize("increment", ['value="0" unit="s"', 'value="-1" unit="s"', 'value="x" unit="s"', 'value="2"'])
def test_increment_that_gives_no_rate_is_refused(increment):
    with pytest.raises(UnreadableFile, match="not a sampling rate"):
        read({"a.xml": document(series_xml(set_xml(time_xml(increment=increment), lead_xml("II", [1]))))})


def test_file_without_time_needs_the_rate():
    data = document(series_xml(set_xml(lead_xml("II", [1, 2]))))
    with pytest.raises(NeedsOption, match="increment"):
        read({"a.xml": data})
    assert read({"a.xml": data}, ReadOptions(fs=250)).fs == 250


def test_rhythm_is_read_and_representative_beats_are_not():
    beat = series_xml(set_xml(time_xml(), lead_xml("II", digits_of(1))), code="REPRESENTATIVE_BEAT")
    derived = "<derivation><derivedSeries><code code='REPRESENTATIVE_BEAT'/></derivedSeries></derivation>"
    rhythm = series_xml(set_xml(time_xml(), lead_xml("II", [7, 8])), derived)
    recording = read({"a.xml": document(beat, rhythm)})
    np.testing.assert_allclose(recording.signal, [[0.035, 0.04]], rtol=1e-6)
    assert any("not REPRESENTATIVE_BEAT, REPRESENTATIVE_BEAT" in note for note in recording.warnings)
    with pytest.raises(UnreadableFile, match=r"no rhythm series.*REPRESENTATIVE_BEAT"):
        read({"a.xml": document(beat)})


def test_of_several_rhythms_the_longest_is_read():
    longer = series_xml(set_xml(time_xml(), lead_xml("II", [1] * 50)))
    recording = read({"a.xml": document(ONE, longer)})
    assert recording.n_samples == 50
    assert any("longest rhythm series is read, not RHYTHM" in note for note in recording.warnings)


def test_leads_recorded_in_turn_stand_at_their_times():
    sets = [
        set_xml(time_xml('value="20021122091000.000"'), lead_xml("I", [1, 1]), lead_xml("II", [2, 2])),
        set_xml(time_xml('value="20021122091000.004"'), lead_xml("V1", [3, 3]), lead_xml("II", [4, 4])),
    ]
    recording = read({"a.xml": document(series_xml(*sets))})
    nan = np.nan
    assert recording.leads == ("I", "II", "V1")
    np.testing.assert_allclose(recording.signal * 200, [[1, 1, nan, nan], [2, 2, 4, 4], [nan, nan, 3, 3]], rtol=1e-5)
    assert any("different moments" in note for note in recording.warnings)


def test_sequence_sets_of_different_rates_come_to_the_highest():
    slow = set_xml(time_xml(increment='value="4" unit="ms"'), lead_xml("V1", [10] * 250))
    fast = set_xml(time_xml(), lead_xml("II", [20] * 500))
    recording = read({"a.xml": document(series_xml(slow, fast))})
    assert (recording.fs, recording.n_samples) == (500.0, 500)
    assert recording.history[0].name == "resample"
    assert recording.lead("V1")[250] == pytest.approx(0.05, abs=1e-3)


def test_moment_centuries_away_is_refused_before_it_is_allocated():
    sets = [
        set_xml(time_xml('value="20021122091000"'), lead_xml("I", [1])),
        set_xml(time_xml('value="23021122091000"'), lead_xml("II", [1])),
    ]
    with pytest.raises(LimitExceeded, match="too large"):
        read({"a.xml": document(series_xml(*sets))})


def test_eight_leads_get_their_limb_leads_derived_and_marked():
    leads = {name: digits_of(i) for i, name in enumerate(INDEPENDENT_8)}
    sequences = [lead_xml(name, values) for name, values in leads.items()]
    recording = read({"a.xml": document(series_xml(set_xml(time_xml(), *sequences)))})
    assert recording.leads == STANDARD_12
    assert recording.derived == ("III", "aVR", "aVL", "aVF")
    assert [step.name for step in recording.history] == ["derive_leads"]
    expected = (np.array(leads["II"]) - np.array(leads["I"]) / 2) * 0.005
    np.testing.assert_allclose(recording.lead("aVF"), expected, atol=1e-6)


def test_inverted_avr_is_not_taken_for_avr():
    recording = read({"a.xml": document(series_xml(set_xml(time_xml(), lead_xml("AVRneg", [1, 2]))))})
    assert recording.leads == ("AVRneg",)


def test_other_quantities_are_left_out():
    pressure = lead_xml("x", [1, 2], scale='value="1" unit="mm[Hg]"').replace("MDC_ECG_LEAD_x", "MDC_PRESS_BLD_ART")
    recording = read({"a.xml": document(series_xml(set_xml(time_xml(), lead_xml("II", [1, 2]), pressure)))})
    assert recording.leads == ("II",)
    assert any("left out as not ECG: MDC_PRESS_BLD_ART" in note for note in recording.warnings)


def subject_xml(*person, observation=""):
    return (
        "<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>"
        f'<id root="1.2.3" extension="SUBJ-1"/><subjectDemographicPerson>{"".join(person)}</subjectDemographicPerson>'
        f"</trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf>{observation}"
    )


def test_subject_is_identified_with_sex_and_age_at_the_recording():
    person = ('<administrativeGenderCode code="F"/>', '<birthTime value="19530508"/>')
    subject = read({"a.xml": document(subject_xml(*person), ONE)}).subject
    assert (subject.id, subject.sex, subject.age) == ("SUBJ-1", "female", 49.0)


def test_reported_age_goes_before_the_birth_date():
    observation = (
        '<controlVariable><relatedObservation><code code="21612-7" codeSystem="2.16.840.1.113883.6.1"/>'
        '<value xsi:type="PQ" value="18" unit="mo"/></relatedObservation></controlVariable>'
    )
    data = document(subject_xml('<birthTime value="19530508"/>', observation=observation), ONE)
    assert read({"a.xml": data}).subject.age == 1.5


def test_start_is_the_first_sample_and_a_contradiction_is_reported():
    head = 'value="20021122091002.500+0000"'
    recording = read({"a.xml": document(series_xml(set_xml(time_xml(head), lead_xml("II", [1, 2]))))})
    assert recording.start == datetime(2002, 11, 22, 9, 10, 2, 500_000, UTC)
    assert any("by effectiveTime" in note for note in recording.warnings)


def test_start_is_the_effective_time_where_the_time_axis_is_relative():
    sequence = set_xml(time_xml('value="0" unit="s"', kind="RELATIVE"), lead_xml("II", [1, 2]))
    low = '<effectiveTime><low value="20200101120000"/></effectiveTime>'
    assert read({"a.xml": document(low, series_xml(sequence, low=""))}).start == datetime(2020, 1, 1, 12)
    assert read({"a.xml": document(series_xml(sequence, low="2020"))}).start is None


def annotation_xml(code, value, boundary=""):
    support = (
        f"<support><supportingROI><component><boundary><code code='TIME'/>{boundary}</boundary></component>"
        "</supportingROI></support>"
    )
    return f"<component><annotation><code code='{code}'/>{value}{support if boundary else ''}</annotation></component>"


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ('value="20021122091000.100"', 'value="20021122091000.180"'),
        ('value="100" unit="ms"', 'value="180" unit="ms"'),
    ],
    ids=["absolute", "relative"],
)
def test_annotations_with_a_boundary_are_marks_and_others_are_facts(low, high):
    wave = annotation_xml(
        "MDC_ECG_WAVC",
        "<value xsi:type='CE' code='MDC_ECG_WAVC_QRSWAVE'/>",
        f"<value xsi:type='IVL_TS'><low {low}/><high {high}/></value>",
    )
    rate = annotation_xml("MDC_ECG_HEART_RATE", "<value xsi:type='PQ' value='72' unit='bpm'/>")
    said = annotation_xml("MDC_ECG_INTERPRETATION_STATEMENT", "<value xsi:type='ST'>Normal sinus rhythm</value>")
    marks = f"<subjectOf><annotationSet>{wave}{rate}{said}</annotationSet></subjectOf>"
    recording = read({"a.xml": document(series_xml(set_xml(time_xml(), lead_xml("II", digits_of(0))), marks))})
    found = recording.annotations["aecg"]
    np.testing.assert_allclose(found.time_s, [0.1, 0.18])
    assert found.symbol == ("MDC_ECG_WAVC_QRSWAVE",) * 2
    assert found.note == ("onset", "offset")
    assert dict(recording.subject.facts) == {
        "diagnosis": "Normal sinus rhythm",
        "measurements": {"MDC_ECG_HEART_RATE": {"value": 72.0, "unit": "bpm"}},
    }


def test_annotations_of_a_derived_series_are_not_taken_for_the_rhythms():
    wave = annotation_xml("MDC_ECG_WAVC", "<value code='x'/>", "<value><low value='0' unit='s'/></value>")
    derived = f"<derivation><derivedSeries><subjectOf><annotationSet>{wave}</annotationSet></subjectOf></derivedSeries>"
    recording = read(
        {"a.xml": document(series_xml(set_xml(time_xml(), lead_xml("II", [1, 2])), derived + "</derivation>"))}
    )
    assert "aecg" not in recording.annotations


@pytest.mark.parametrize("ns", ["", 'xmlns="urn:other"', 'xmlns="urn:hl7-org:v3" xmlns:x="urn:y" x:version="1"'])
def test_namespaces_do_not_matter(ns):
    data = document(ONE.replace("xsi:type", "type"), ns=ns)
    assert read({"a.xml": data}).leads == ("II",)
    prefixed = b'<h:AnnotatedECG xmlns:h="urn:hl7-org:v3"/>'
    assert AECG.sniff(prefixed) is Sniff.SURE


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "no rhythm series.*no series"),
        (series_xml(), "no samples"),
        (series_xml(set_xml(time_xml(), lead_xml("II", "1 2 x3 4"))), "damaged digits.*x3"),
        (series_xml(set_xml(time_xml(), lead_xml("II", "1 nan 2"))), "damaged digits"),
        (series_xml(set_xml(time_xml(), lead_xml("II", "1 1e999"))), "damaged digits"),
        (series_xml(set_xml(time_xml(), lead_xml("II", "  "))), "no samples"),
        (ONE.replace('value="5"', 'value="0"'), "not a scale"),
        (ONE.replace('value="5"', 'value="five"'), "not a scale"),
        (ONE.replace('origin value="0"', 'origin value="zero"'), "not an origin"),
    ],
)
def test_damage_is_named(body, message):
    with pytest.raises(UnreadableFile, match=message):
        read({"a.xml": document(body)})


@pytest.mark.parametrize(
    "subset", ['<!ENTITY a "1 2 3 "> <!ENTITY b "&a;&a;&a;">', '<!ENTITY a SYSTEM "file:///etc/passwd">']
)
def test_entities_are_refused(subset):
    body = series_xml(set_xml(time_xml(), lead_xml("II", "&a;")))
    with pytest.raises(UnreadableFile, match="entities, which are refused"):
        read({"a.xml": document(body, prologue=f"<!DOCTYPE AnnotatedECG [ {subset} ]>")})


def test_deep_nesting_is_an_error_and_no_crash():
    with pytest.raises(LimitExceeded, match="levels"):
        read({"a.xml": document("<component>" * 100_000 + "</component>" * 100_000)})


@pytest.mark.parametrize(
    "data", [b"<html><AnnotatedECG/></html>", b"<svg/>", b"<RestingECG/>", b"AnnotatedECG", b"<AnnotatedECGs/>", b""]
)
def test_other_documents_are_not_claimed(data):
    assert AECG.sniff(data) is Sniff.NO


def test_every_cut_of_a_document_is_an_error():
    data = document(ONE)
    for length in range(0, len(data) - 1, 29):
        with pytest.raises(EcgError):
            read({"a.xml": data[:length]}, ReadOptions(format="aecg"))


def gapped():
    signal = np.random.default_rng(3).normal(size=(4, 500))
    signal[1, 100:200] = signal[1, 300:] = np.nan
    signal[3, :50] = np.nan
    return Recording(signal, 250.0, ("I", "II", "III", "V1"), start=datetime(2020, 1, 1, 12))


@pytest.mark.parametrize("start", [datetime(2020, 1, 1, 12), None])
def test_writer_leaves_gaps_out_as_the_standard_allows(start):
    recording = Recording(gapped().signal, 250.0, gapped().leads, start=start)
    files = AECG.write(recording, "x")
    root = ElementTree.fromstring(files["x.xml"])
    sets = root.findall(f"{HL7}component/{HL7}series/{HL7}component/{HL7}sequenceSet")
    lengths = [[len(digits.text.split()) for digits in one.iter(f"{HL7}digits")] for one in sets]
    assert lengths == [[500], [100], [100], [500], [450]]
    assert b"nan" not in files["x.xml"].lower()
    back = read(files)
    assert (back.leads, back.start) == (recording.leads, start)
    np.testing.assert_allclose(back.signal, recording.signal, atol=1e-3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2, 3], [np.nan] * 3], "without samples.*II"),
        ([[np.nan, 2, 3], [np.nan, 2, 3]], "starts or ends"),
        ([[1, 2, np.nan], [1, np.nan, np.nan]], "starts or ends"),
        ([[1, np.nan] * 6000 + [1], [1] * 12001], "too many gaps"),
    ],
)
def test_writer_refuses_gaps_that_the_format_can_not_hold(rows, message):
    with pytest.raises(WriteError, match=message):
        AECG.write(Recording(np.array(rows), 250.0, ("I", "II")), "x")
