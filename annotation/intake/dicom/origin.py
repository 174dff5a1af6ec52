"""Where a series comes from, by its headers."""

from __future__ import annotations

from collections.abc import Sequence

from annotation.intake.dicom.headers import MODALITY_OF_CLASS, body_part_of, day_of, numbers_of, text_of, uid_of
from annotation.intake.dicom.identity import is_dummy
from annotation.intake.dicom.read import Slice
from annotation.intake.dicom.vocabulary import MODALITIES, OTHER, kernel_of, manufacturer_of, model_of
from annotation.intake.volumes import Origin
from voxloop.kernel.uids import derive_uid

NO_CONTRAST = {"", "NO", "NONE", "N", "WITHOUT"}


def origin_of(slices: Sequence[Slice], modality: str, source_hash: str, overruled: Sequence[str] = ()) -> Origin:
    """Original identifiers and technical facts of a series, by its first file and the UIDs of all."""
    header = slices[0].header
    series_uid = uid_of(header, "SeriesInstanceUID") or derive_uid("series", source_hash)
    study_uid = uid_of(header, "StudyInstanceUID") or derive_uid("study", source_hash)
    thickness, kvp = numbers_of(header, "SliceThickness", 1), numbers_of(header, "KVP", 1)
    kernel = kernel_of(text_of(header, "ConvolutionKernel"))
    sop_class = uid_of(header, "SOPClassUID")
    facts = {
        "kernel": kernel,
        "slice_thickness_mm": float(thickness[0]) if thickness is not None else None,
        "manufacturer": manufacturer_of(text_of(header, "Manufacturer")),
        "model": model_of(text_of(header, "ManufacturerModelName")),
        "contrast": text_of(header, "ContrastBolusAgent").upper() not in NO_CONTRAST,
        "kvp": float(kvp[0]) if kvp is not None else None,
        "slices": len(slices),
        "body_part": body_part_of(header),
        **({"overruled": list(overruled)} if overruled else {}),
        "sop_class_uid": sop_class if sop_class in MODALITY_OF_CLASS else "",
        "frame_of_reference_uid": uid_of(header, "FrameOfReferenceUID") or derive_uid("frame", study_uid),
        "sop_instance_uids": [
            uid_of(item.header, "SOPInstanceUID") or derive_uid("instance", source_hash, str(k))
            for k, item in enumerate(slices)
        ],
    }
    thick = f"{round(thickness[0], 2):g} mm" if thickness is not None else ""
    words = [modality if modality in MODALITIES else "", f"kernel {kernel}" if kernel not in ("", OTHER) else "", thick]
    patient_id = text_of(header, "PatientID")
    is_unnamed = is_dummy(patient_id)
    return Origin(
        subject=study_uid if is_unnamed else patient_id,
        is_unnamed=is_unnamed,
        study_uid=study_uid,
        series_uid=series_uid,
        modality=modality if modality in MODALITIES else "",
        description=", ".join(word for word in words if word),
        facts=facts,
        source_hash=source_hash,
        study_date=day_of(header),
    )
