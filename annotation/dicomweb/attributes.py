"""What a search returns of studies, series and instances (PS3.18 10.6.3.3), as DICOM JSON (PS3.18 annex F)."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import CTImageStorage, SegmentationStorage

from annotation.dicomweb.catalogue import HeldInstance, HeldSeries
from annotation.dicomweb.query import Query, Record
from annotation.scans.volumes import ready_volume

CHARACTERS = "ISO_IR 192"
# Returned without being asked for. A record may hold more, which `includefield` names.
STUDY = frozenset(
    {
        *("StudyDate", "StudyTime", "AccessionNumber", "InstanceAvailability", "ModalitiesInStudy"),
        *("ReferringPhysicianName", "RetrieveURL", "PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
        *("StudyInstanceUID", "StudyID", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    }
)
SERIES = frozenset(
    {
        *("Modality", "SeriesDescription", "RetrieveURL", "SeriesInstanceUID", "SeriesNumber"),
        *("NumberOfSeriesRelatedInstances", "StudyInstanceUID"),
    }
)
INSTANCE = frozenset(
    {
        *("SOPClassUID", "SOPInstanceUID", "InstanceAvailability", "RetrieveURL", "InstanceNumber", "Rows", "Columns"),
        *("BitsAllocated", "NumberOfFrames", "StudyInstanceUID", "SeriesInstanceUID"),
    }
)
ALL_STUDY = (*sorted(STUDY), "StudyDescription", "SOPClassesInStudy", "PatientIdentityRemoved")
ALL_SERIES = (*sorted(SERIES), "InstanceAvailability")
ALL_INSTANCE = (*sorted(INSTANCE), "BitsStored", "PixelSpacing", "SliceThickness", "ContentLabel")


def study_record(series: Sequence[HeldSeries], root: str) -> dict[str, Any]:
    """Attributes of a study. No date is stored, so it has none."""
    source = series[0].source
    modalities = sorted({one.modality for one in series})
    classes = sorted({SegmentationStorage if one.mask else CTImageStorage for one in series})
    return {
        "StudyDate": "",
        "StudyTime": "",
        "AccessionNumber": "",
        "InstanceAvailability": "ONLINE",
        "ModalitiesInStudy": modalities,
        "ReferringPhysicianName": "",
        "RetrieveURL": f"{root}/studies/{source.study_uid}",
        "PatientName": f"{source.subject}^",
        "PatientID": source.subject,
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyInstanceUID": source.study_uid,
        "StudyID": "",
        "NumberOfStudyRelatedSeries": len({one.uid for one in series}),
        "NumberOfStudyRelatedInstances": sum(one.count for one in series),
        "StudyDescription": "",
        "SOPClassesInStudy": classes,
        "PatientIdentityRemoved": "YES",
    }


def series_record(parts: Sequence[HeldSeries], root: str) -> dict[str, Any]:
    """Attributes of a series; `parts` are the scans that came under its UID, nearly always one."""
    first = parts[0]
    return {
        "Modality": first.modality,
        "SeriesDescription": first.description,
        "RetrieveURL": f"{root}/studies/{first.study_uid}/series/{first.uid}",
        "SeriesInstanceUID": first.uid,
        "SeriesNumber": first.number,
        "NumberOfSeriesRelatedInstances": sum(one.count for one in parts),
        "StudyInstanceUID": first.study_uid,
        "InstanceAvailability": "ONLINE",
    }


def instance_record(found: HeldInstance, root: str) -> dict[str, Any]:
    """Attributes of an instance. How many frames a segmentation has is known when it is made."""
    series = found.series
    volume = ready_volume(series.scan)
    _, rows, columns = volume.shape_zyx
    thickness, row_mm, column_mm = volume.spacing_mm_zyx
    place = f"{root}/studies/{series.study_uid}/series/{series.uid}/instances/{found.uid}"
    told = {
        "SOPClassUID": str(SegmentationStorage if series.mask else CTImageStorage),
        "SOPInstanceUID": found.uid,
        "InstanceAvailability": "ONLINE",
        "RetrieveURL": place,
        "InstanceNumber": found.k + 1,
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 1 if series.mask else 16,
        "StudyInstanceUID": series.study_uid,
        "SeriesInstanceUID": series.uid,
        "BitsStored": 1 if series.mask else 16,
        "PixelSpacing": [row_mm, column_mm],
        "SliceThickness": thickness,
    }
    return told | ({"ContentLabel": series.mask.layer.upper()[:16]} if series.mask else {"NumberOfFrames": 1})


def chosen_of(record: Record, query: Query, *defaults: Iterable[str]) -> dict[str, Any]:
    """What of a record is returned: the defaults of its levels, what was asked for, and what was matched."""
    wanted = set().union(*defaults, query.include, query.filters)
    return {name: value for name, value in record.items() if query.is_all or name in wanted}


def to_json(record: Record) -> dict[str, Any]:
    """A record as a DICOM JSON object; empty attributes have no `Value`."""
    told: Mapping[str, Any] = {"SpecificCharacterSet": CHARACTERS, **record}
    return dict(sorted(_element(name, value) for name, value in told.items()))


def _element(keyword: str, value: Any) -> tuple[str, dict[str, Any]]:
    tag, vr = _tag(keyword)
    values = value if isinstance(value, list) else [] if value == "" else [value]
    if vr == "PN":
        values = [{"Alphabetic": one} for one in values]
    return tag, {"vr": vr, "Value": values} if values else {"vr": vr}


@lru_cache(maxsize=256)
def _tag(keyword: str) -> tuple[str, str]:
    return f"{tag_for_keyword(keyword):08X}", dictionary_VR(keyword)
