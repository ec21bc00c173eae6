import base64
import struct
from datetime import datetime

import numpy as np
import pytest
from defusedxml import ElementTree

from ecg_core.errors import EcgError, LimitExceeded, NeedsOption, UnreadableFile, WriteError
from ecg_core.leads import INDEPENDENT_8, STANDARD_12, derive_leads
from ecg_core.readers import READERS, ReadOptions, Sniff
from ecg_core.reading import read
from ecg_core.recording import Recording

MUSE = READERS["muse"]


def lead_xml(name, samples, *, step="4.88", unit="MICROVOLTS", extra=""):
    packed = base64.b64encode(struct.pack(f"<{len(samples)}h", *samples)).decode()
    folded = "\n".join(packed[i : i + 76] for i in range(0, len(packed), 76))
    scale = "" if step is None else f"<LeadAmplitudeUnitsPerBit>{step}</LeadAmplitudeUnitsPerBit>"
    return f"""<LeadData><LeadByteCountTotal>{2 * len(samples)}</LeadByteCountTotal><LeadTimeOffset>0</LeadTimeOffset>
      <LeadSampleCountTotal>{len(samples)}</LeadSampleCountTotal>{scale}
      <LeadAmplitudeUnits>{unit}</LeadAmplitudeUnits><LeadHighLimit>32767</LeadHighLimit>
      <LeadID>{name}</LeadID><LeadSampleSize>2</LeadSampleSize>{extra}
      <WaveFormData>
      {folded}
      </WaveFormData></LeadData>"""


def waveform_xml(kind, leads, *, base="500", exponent="0"):
    return (
        f"<Waveform><WaveformType>{kind}</WaveformType><SampleBase>{base}</SampleBase>"
        f"<SampleExponent>{exponent}</SampleExponent>{leads}</Waveform>"
    )


def document(*parts, doctype='<!DOCTYPE RestingECG SYSTEM "RestingECG.DTD">', encoding="ISO-8859-1"):
    body = "".join(parts)
    return f'<?xml version="1.0" encoding="{encoding}"?>\n{doctype}<RestingECG>{body}</RestingECG>'.encode(encoding)


def samples_of(seed, n=1000, top=300):
    return [int(v) for v in np.random.default_rng(seed).integers(-top, top, n)]


EIGHT = {name: samples_of(i) for i, name in enumerate(INDEPENDENT_8)}
EIGHT_XML = "".join(lead_xml(name, values) for name, values in EIGHT.items())
RHYTHM = waveform_xml("Rhythm", EIGHT_XML)
ONE = waveform_xml("Rhythm", lead_xml("II", samples_of(1)))


def test_rhythm_is_read_although_the_median_stands_first():
    median = waveform_xml("Median", "".join(lead_xml(name, [7] * 600) for name in INDEPENDENT_8))
    recording = read({"a.xml": document(median, RHYTHM)})
    assert recording.source.format == "muse"
    assert (recording.fs, recording.n_samples) == (500.0, 1000)
    np.testing.assert_allclose(recording.lead("V3"), np.array(EIGHT["V3"]) * 4.88e-3, rtol=1e-6)
    assert any("Rhythm is read, not Median" in note for note in recording.warnings)


def test_eight_leads_get_their_limb_leads_derived_and_marked():
    recording = read({"a.xml": document(RHYTHM)})
    one, two = (np.array(EIGHT[name]) * 4.88e-3 for name in ("I", "II"))
    assert recording.leads == STANDARD_12
    assert recording.derived == ("III", "aVR", "aVL", "aVF")
    assert [step.name for step in recording.history] == ["derive_leads"]
    for name, expected in {
        "III": two - one,
        "aVR": -(one + two) / 2,
        "aVL": one - two / 2,
        "aVF": two - one / 2,
    }.items():
        np.testing.assert_allclose(recording.lead(name), expected, atol=1e-6)
    assert any("derived from I and II" in note for note in recording.warnings)


def test_twelve_stored_leads_are_kept_as_stored():
    leads = {name: samples_of(i) for i, name in enumerate(STANDARD_12)}
    data = document(waveform_xml("Rhythm", "".join(lead_xml(name, values) for name, values in leads.items())))
    recording = MUSE.read("a.xml", {"a.xml": data}, ReadOptions())
    assert recording.derived == ()
    np.testing.assert_allclose(recording.lead("III"), np.array(leads["III"]) * 4.88e-3, rtol=1e-6)


def test_each_lead_has_its_own_unit_and_step():
    leads = lead_xml("V1", [0, 1000], step="2.5") + lead_xml("V2", [0, 1000], step="0.001", unit="MILLIVOLTS")
    recording = read({"a.xml": document(waveform_xml("Rhythm", leads))})
    np.testing.assert_allclose(recording.signal, [[0, 2.5], [0, 1.0]], rtol=1e-6)


def test_file_without_a_step_needs_the_option_and_obeys_it():
    data = document(waveform_xml("Rhythm", lead_xml("V1", [0, 1000], step=None, unit="")))
    with pytest.raises(NeedsOption, match="LeadAmplitudeUnitsPerBit"):
        read({"a.xml": data})
    assert read({"a.xml": data}, ReadOptions(units="0.005")).signal[0, 1] == pytest.approx(5.0)


def test_invalid_samples_are_missing():
    recording = read({"a.xml": document(waveform_xml("Rhythm", lead_xml("V1", [5, -32768, 32767], step="1")))})
    np.testing.assert_allclose(recording.signal, [[0.005, np.nan, 32.767]], rtol=1e-6)


@pytest.mark.parametrize(("base", "exponent", "fs"), [("5", "2", 500.0), ("1285", "-1", 128.5), ("250", "0", 250.0)])
def test_rate_is_base_times_ten_to_the_exponent(base, exponent, fs):
    data = document(waveform_xml("Rhythm", lead_xml("I", [1, 2]), base=base, exponent=exponent))
    assert read({"a.xml": data}).fs == fs


@pytest.mark.parametrize(("base", "exponent"), [("0", "0"), ("-500", "0"), ("five", "0"), ("1", "999999"), ("1", "x")])
def test_rate_that_is_none_is_refused(base, exponent):
    data = document(waveform_xml("Rhythm", lead_xml("I", [1, 2]), base=base, exponent=exponent))
    with pytest.raises(UnreadableFile, match="not a sampling rate"):
        read({"a.xml": data})


def test_demographics_dates_and_measurements_are_the_files_own():
    recording = read(
        {
            "a.xml": document(
                "<PatientDemographics><PatientID>00817</PatientID><PatientAge>63</PatientAge><AgeUnits>YEARS</AgeUnits>"
                "<Gender>FEMALE</Gender><HeightCM>171</HeightCM><PatientLastName>Müller</PatientLastName>"
                "</PatientDemographics><TestDemographics><AcquisitionTime>14:05:09</AcquisitionTime>"
                "<AcquisitionDate>02-13-2019</AcquisitionDate></TestDemographics>"
                "<RestingECGMeasurements><VentricularRate>72</VentricularRate><PRInterval>160</PRInterval>"
                "</RestingECGMeasurements><Diagnosis><Modality>RESTING</Modality>"
                "<DiagnosisStatement><StmtText>Sinus</StmtText></DiagnosisStatement>"
                "<DiagnosisStatement><StmtFlag>ENDSLINE</StmtFlag><StmtText>rhythm</StmtText></DiagnosisStatement>"
                "<DiagnosisStatement><StmtText>Bloc à gauche</StmtText></DiagnosisStatement></Diagnosis>",
                ONE,
            )
        }
    )
    assert recording.start == datetime(2019, 2, 13, 14, 5, 9)
    assert (recording.subject.id, recording.subject.age, recording.subject.sex) == ("00817", 63.0, "female")
    assert dict(recording.subject.facts) == {
        "height_cm": 171.0,
        "diagnosis": "Sinus rhythm\nBloc à gauche",
        "measurements": {"VentricularRate": 72.0, "PRInterval": 160.0},
    }
    assert "ller" not in repr(recording.summary())


@pytest.mark.parametrize(
    ("demographics", "age"),
    [
        ("<PatientAge>18</PatientAge><AgeUnits>MONTHS</AgeUnits>", 1.5),
        ("<PatientAge>12</PatientAge><AgeUnits>HOURS</AgeUnits>", 0.5 / 365.25),
        ("<DateofBirth>02-14-1960</DateofBirth>", 58.0),
        ("<PatientAge>unknown</PatientAge>", None),
        ("<PatientAge>999</PatientAge>", None),
    ],
)
def test_age_comes_in_its_units_or_from_the_birth_date(demographics, age):
    when = "<AcquisitionTime>10:00:00</AcquisitionTime><AcquisitionDate>02-13-2019</AcquisitionDate>"
    recording = read(
        {
            "a.xml": document(
                f"<PatientDemographics>{demographics}</PatientDemographics><TestDemographics>{when}</TestDemographics>",
                ONE,
            )
        }
    )
    assert recording.subject.age == (None if age is None else pytest.approx(age))


def test_date_that_is_not_month_first_gives_no_start_and_says_so():
    when = "<AcquisitionTime>10:00:00</AcquisitionTime><AcquisitionDate>31-12-2019</AcquisitionDate>"
    recording = read({"a.xml": document(f"<TestDemographics>{when}</TestDemographics>", ONE)})
    assert recording.start is None
    assert any("31-12-2019" in note for note in recording.warnings)


@pytest.mark.parametrize(
    ("times", "rr", "expected"),
    [
        ((400, 1200, 1800), "<GlobalRR>800</GlobalRR>", [0.4, 1.2, 1.8]),
        ((200, 600, 900), "<GlobalRR>800</GlobalRR>", [0.4, 1.2, 1.8]),
        ((200, 600, 900), "", None),
        ((400, 1200, 9000), "<GlobalRR>800</GlobalRR>", None),
    ],
    ids=["milliseconds", "samples", "nothing settles it", "outside"],
)
def test_beat_times_are_in_the_unit_that_fits_the_rr_interval(times, rr, expected):
    beats = "".join(f"<QRS><Number>1</Number><Type>{i}</Type><Time>{t}</Time></QRS>" for i, t in enumerate(times))
    recording = read({"a.xml": document(f"<QRSTimesTypes>{beats}{rr}</QRSTimesTypes>", ONE)})
    assert any("QRSTimesTypes" in note for note in recording.warnings)
    if expected is None:
        assert "muse" not in recording.annotations
    else:
        marks = recording.annotations["muse"]
        np.testing.assert_allclose(marks.time_s, expected)
        assert marks.symbol == ("0", "1", "2")


def test_lead_off_and_wrong_sample_count_are_reported():
    lead = lead_xml("V1", [1, 2, 3], extra="<LeadOff>TRUE</LeadOff>").replace("Total>3<", "Total>5000<")
    recording = read({"a.xml": document(waveform_xml("Rhythm", lead))})
    assert any("LeadOff" in note for note in recording.warnings)
    assert any("says 5000" in note for note in recording.warnings)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (waveform_xml("Median", EIGHT_XML), "no rhythm waveform.*Median"),
        ("", "no rhythm waveform.*no waveform"),
        (waveform_xml("Rhythm", ""), "no leads"),
        (ONE.replace("<WaveFormData>", "<WaveFormData>!"), "damaged WaveFormData"),
        (waveform_xml("Rhythm", "<LeadData><LeadID>I</LeadID><WaveFormData>AAAA</WaveFormData></LeadData>"), "3 bytes"),
        (ONE.replace(">4.88<", ">0<"), "size of a step"),
        (ONE.replace("<LeadSampleSize>2<", "<LeadSampleSize>4<"), "sample size"),
    ],
)
def test_damage_is_named(body, message):
    with pytest.raises(UnreadableFile, match=message):
        read({"a.xml": document(body)})


def test_waveforms_of_all_leads_are_limited():
    with pytest.raises(LimitExceeded, match="too many channels"):
        read({"a.xml": document(waveform_xml("Rhythm", lead_xml("V1", [1]) * 513))})


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE RestingECG>",
        '<!DOCTYPE RestingECG SYSTEM "http://example.org/RestingECG.DTD">',
        "<!DOCTYPE RestingECG [ <!ELEMENT RestingECG ANY> <!ATTLIST RestingECG a CDATA #IMPLIED> ]>",
    ],
)
def test_document_type_without_entities_is_accepted(doctype):
    assert read({"a.xml": document(ONE, doctype=doctype)}).leads == ("II",)


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY a "ha"> <!ENTITY b "&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://example.org/x"> %a;',
        '<!ENTITY a SYSTEM "x" NDATA gif>',
    ],
)
def test_entities_are_refused(subset):
    data = document("<PatientID>&b;</PatientID>", ONE, doctype=f"<!DOCTYPE RestingECG [ {subset} ]>")
    assert MUSE.sniff(data) is Sniff.SURE
    with pytest.raises(UnreadableFile, match="entities, which are refused"):
        read({"a.xml": data})


def test_deep_nesting_is_an_error_and_no_crash():
    data = document("<a>" * 100_000 + "</a>" * 100_000)
    with pytest.raises(LimitExceeded, match="levels"):
        read({"a.xml": data})


def test_too_many_elements_are_an_error(monkeypatch):
    monkeypatch.setattr("ecg_core.readers._interchange.MAX_ELEMENTS", 1000)
    with pytest.raises(LimitExceeded, match="too many XML elements"):
        read({"a.xml": document("<a/>" * 1001)})


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "windows-1252"])
def test_other_encodings_are_read(encoding):
    statement = "<Diagnosis><DiagnosisStatement><StmtText>né</StmtText></DiagnosisStatement></Diagnosis>"
    recording = read({"a.xml": document(statement, ONE, encoding=encoding)})
    assert recording.subject.facts["diagnosis"] == "né"


def test_eight_bit_text_that_declares_utf_16_is_read():
    data = document(ONE).replace(b"ISO-8859-1", b"utf-16")
    assert read({"a.xml": data}).leads == ("II",)


@pytest.mark.parametrize("encoding", [b"shift_jis", b"no-such-encoding"])
def test_encoding_that_xml_can_not_be_read_in_is_an_error(encoding):
    with pytest.raises(UnreadableFile, match="encoding"):
        read({"a.xml": document(ONE).replace(b"ISO-8859-1", encoding)})


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><text>RestingECG</text></svg>",
        b"<!DOCTYPE html><html><RestingECG/></html>",
        b"<!-- <RestingECG> --><AnnotatedECG/>",
        b"<restingecgdata/>",
        b"<RestingECGs/>",
        b"RestingECG",
        b"",
    ],
)
def test_other_documents_are_not_claimed(data):
    assert MUSE.sniff(data) is Sniff.NO


def test_every_cut_of_a_document_is_an_error():
    data = document(ONE)
    for length in range(0, len(data) - 1, 97):
        with pytest.raises(EcgError):
            read({"a.xml": data[:length]}, ReadOptions(format="muse"))


def written_leads(files):
    root = ElementTree.fromstring(files["x.xml"])
    return {lead.findtext("LeadID"): lead for lead in root.iterfind("Waveform/LeadData")}


def independent(seed=0):
    return Recording(np.random.default_rng(seed).normal(size=(8, 600)), 500.0, INDEPENDENT_8)


def test_writer_stores_eight_leads_where_the_others_follow_from_them():
    recording = derive_leads(independent())
    files = MUSE.write(recording, "x")
    assert tuple(written_leads(files)) == INDEPENDENT_8
    back = read(files)
    assert (back.leads, back.derived) == (recording.leads, recording.derived)
    np.testing.assert_allclose(back.signal, recording.signal, atol=3e-4)


def test_writer_stores_all_leads_where_a_limb_lead_was_recorded_differently_or_the_order_is_another():
    recording = derive_leads(independent())
    signal = recording.signal.copy()
    signal[2, 300] += 0.05
    changed = Recording(signal, 500.0, STANDARD_12)
    assert tuple(written_leads(MUSE.write(changed, "x"))) == STANDARD_12
    assert read(MUSE.write(changed, "x")).signal[2, 300] == pytest.approx(signal[2, 300], abs=1e-3)
    backwards = recording.select(STANDARD_12[::-1])
    assert read(MUSE.write(backwards, "x")).leads == STANDARD_12[::-1]


def test_writer_uses_the_finest_step_and_marks_what_is_missing():
    recording = Recording(np.array([[0.0, -2.0, np.nan, 1.5]]), 250.0, ("V1",))
    lead = written_leads(MUSE.write(recording, "x"))["V1"]
    stored = struct.unpack("<4h", base64.b64decode(lead.findtext("WaveFormData")))
    assert stored == (0, -32767, -32768, 24575)
    assert float(lead.findtext("LeadAmplitudeUnitsPerBit")) == pytest.approx(2000 / 32767)


def test_writer_refuses_a_lead_name_that_xml_can_not_hold():
    with pytest.raises(WriteError, match="lead's name"):
        MUSE.write(Recording(np.zeros((1, 4)), 250.0, ("a\x00b",)), "x")
