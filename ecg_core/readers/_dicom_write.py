"""Writing DICOM ECG waveforms, within the constraints of PS3.3 A.34.3 to A.34.5."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.errors import WriteError
from ecg_core.leads import STANDARD_12
from ecg_core.readers._dicom_groups import LEAD_NUMBERS
from ecg_core.readers._interchange import LARGEST_STEP, format_timestamp, to_steps
from ecg_core.readers._texts import clean_text
from ecg_core.recording import Recording

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_MOST_SAMPLES_12_LEAD = 16_384


def write(recording: Recording, stem: str) -> dict[str, bytes]:
    """Write a 12-lead ECG, General ECG or Ambulatory ECG object, whichever the leads and the rate allow.

    Each channel has the finest sensitivity, in microvolts, that holds it in 16 bits; -32768 is the padding value.
    The times that the standard wants are left empty where the recording states no start: they are never made up.
    """
    from pydicom import dcmwrite
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    from ecg_core import __version__

    digest = hashlib.sha256(recording.signal.tobytes() + repr(recording.summary()).encode()).hexdigest()
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = _sop_class(recording)
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = (
        generate_uid(entropy_srcs=[digest, level]) for level in ("instance", "study", "series")
    )
    dataset.Modality = "ECG"
    dataset.Manufacturer = ""
    dataset.SoftwareVersions = f"einthoven {__version__}"
    _add_times(dataset, recording)
    _add_patient(dataset, recording)
    dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.StudyID = ""
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.AcquisitionContextSequence = []
    dataset.WaveformSequence = [_group(recording)]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return {f"{stem}.dcm": buffer.getvalue()}


def _sop_class(recording: Recording) -> str:
    """Return the storage class whose constraints on channels, rate and length the recording meets."""
    from pydicom import uid

    if 200 <= recording.fs <= 1000:
        if set(recording.leads) == set(STANDARD_12) and recording.n_samples <= _MOST_SAMPLES_12_LEAD:
            return str(uid.TwelveLeadECGWaveformStorage)
        if recording.n_leads <= 24:
            return str(uid.GeneralECGWaveformStorage)
    elif 50 <= recording.fs <= 1000 and recording.n_leads <= 12:
        return str(uid.AmbulatoryECGWaveformStorage)
    raise WriteError(
        "no DICOM ECG object holds this",
        found=f"{recording.n_leads} leads at {recording.fs:g} Hz",
        expected="up to 24 leads at 200 to 1000 Hz, or up to 12 at 50 to 200 Hz",
        options=("resample or select leads first", "another format"),
    )


def _add_times(dataset: Dataset, recording: Recording) -> None:
    start = recording.start
    moment = None if start is None else format_timestamp(start)
    dataset.AcquisitionDateTime = moment
    dataset.StudyDate = dataset.ContentDate = moment and moment[:8]
    dataset.StudyTime = dataset.ContentTime = moment and moment[8:21]


def _add_patient(dataset: Dataset, recording: Recording) -> None:
    subject = recording.subject
    dataset.PatientName = ""
    patient = clean_text(subject.id) or ""
    if len(patient) > 64 or "\\" in patient:
        raise WriteError(
            "does not fit into DICOM", field="subject.id", found=patient, expected="64 characters, no backslash"
        )
    dataset.PatientID = patient
    dataset.PatientBirthDate = ""
    dataset.PatientSex = subject.sex[0].upper() if subject.sex else ""
    if subject.age is not None:
        dataset.PatientAge = _age_string(subject.age)
    if subject.facts.get("height_cm"):
        dataset.PatientSize = f"{float(subject.facts['height_cm']) / 100:.6g}"
    if subject.facts.get("weight_kg"):
        dataset.PatientWeight = f"{float(subject.facts['weight_kg']):.6g}"


def _age_string(age: float) -> str:
    """Return years as a DICOM age: in years, months, weeks or days, whichever states it best in three digits."""
    units = (("Y", 1.0), ("M", 12.0), ("W", 52.1775), ("D", 365.25))
    fitting = [
        (abs(round(age * n) / n - age), order, f"{round(age * n):03d}{unit}")
        for order, (unit, n) in enumerate(units)
        if age * n < 999.5
    ]
    return min(fitting)[2]


def _group(recording: Recording) -> Dataset:
    """Return the multiplex group: all leads, samples interleaved."""
    from pydicom.dataset import Dataset

    group = Dataset()
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = recording.n_leads
    group.NumberOfWaveformSamples = recording.n_samples
    group.SamplingFrequency = f"{recording.fs:.14g}"
    group.MultiplexGroupLabel = "RHYTHM"
    scaled = [to_steps(row) for row in recording.signal]
    group.ChannelDefinitionSequence = [
        _channel(lead, step, number)
        for number, (lead, (step, _)) in enumerate(zip(recording.leads, scaled, strict=True), start=1)
    ]
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.add_new("WaveformPaddingValue", "OW", np.array(-LARGEST_STEP - 1, "<i2").tobytes())
    group.add_new("WaveformData", "OW", np.stack([steps for _, steps in scaled], axis=1).astype("<i2").tobytes())
    return group


def _channel(lead: str, step: str, number: int) -> Dataset:
    from pydicom.dataset import Dataset

    if lead != clean_text(lead, 64) or "\\" in lead:
        raise WriteError(
            "does not fit into DICOM", field="lead", found=repr(lead), expected="64 printable characters, no backslash"
        )
    channel = Dataset()
    channel.WaveformChannelNumber = number
    channel.ChannelLabel = lead[:16]
    if lead in LEAD_NUMBERS:
        source = _coded(f"2:{LEAD_NUMBERS[lead]}", "MDC", f"Lead {lead}")
    else:
        source = _coded(lead[:16], "99EINTHOVEN", lead)
    channel.ChannelSourceSequence = [source]
    channel.ChannelSensitivity = step
    channel.ChannelSensitivityUnitsSequence = [_coded("uV", "UCUM", "microvolt")]
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = "0"
    channel.ChannelTimeSkew = "0"
    channel.WaveformBitsStored = 16
    return channel


def _coded(value: str, scheme: str, meaning: str) -> Dataset:
    from pydicom.dataset import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
