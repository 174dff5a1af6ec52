"""The report as a DICOM object: Encapsulated PDF (PS3.3 A.45.1), in the study of its scan."""

import io
from datetime import datetime

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from annotation.reporting.models import Measurement
from annotation.reporting.report import NOT_A_DEVICE
from voxloop.kernel.uids import derive_uid, exported_uid

SERIES_NUMBER = 190


def encapsulate(found: Measurement, pdf: bytes, title: str) -> bytes:
    """A DICOM file. The UIDs are derived from what it holds, so that the same report sent twice is one object."""
    scan = found.scan
    at: datetime = found.measured_at
    series = scan.series
    document = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    document.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    document.SpecificCharacterSet = "ISO_IR 192"
    document.SOPClassUID = EncapsulatedPDFStorage
    identity = (str(found.pk), found.content_hash, at.isoformat())
    document.SOPInstanceUID = derive_uid("report", *identity)
    document.StudyInstanceUID = series.study.uid if series else exported_uid("study", scan.code)
    document.SeriesInstanceUID = derive_uid("report series", *identity)
    subject = scan.subject.pseudonym if scan.subject else scan.code
    document.PatientID, document.PatientName = subject, f"{subject}^"
    document.PatientBirthDate = document.PatientSex = ""
    document.StudyDate = document.StudyTime = document.StudyID = document.AccessionNumber = ""
    document.ReferringPhysicianName = ""
    document.Modality = "DOC"
    document.ConversionType = "WSD"
    document.Manufacturer = document.ManufacturerModelName = "Voxloop"
    document.SoftwareVersions = found.software
    document.DeviceSerialNumber = "none"
    document.SeriesNumber, document.InstanceNumber = SERIES_NUMBER, 1
    document.SeriesDescription = NOT_A_DEVICE[:64]
    document.ContentDate, document.ContentTime = at.strftime("%Y%m%d"), at.strftime("%H%M%S")
    document.AcquisitionDateTime = ""
    document.BurnedInAnnotation = "YES"
    document.RecognizableVisualFeatures = "NO"
    document.DocumentTitle = title[:1024]
    document.ConceptNameCodeSequence = [_code()]
    document.VerificationFlag = "UNVERIFIED"
    document.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document.EncapsulatedDocumentLength = len(pdf)
    document.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    written = io.BytesIO()
    document.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _code() -> Dataset:
    """The kind of document, by LOINC."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "18748-4", "LN"
    code.CodeMeaning = "Diagnostic imaging report"
    return code
