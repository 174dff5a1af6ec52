"""X-rays as DICOM again (CR and Digital X-Ray Image Storage, PS3.3 A.2, A.26), written by pydicom out of the pack.

The values are the stored ones of the file that came, in its depth and direction of grey; of an X-ray that came
otherwise, or before that was kept, those of the pack. Nothing else of the file is kept but class, view, direction and
spacing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from annotation.datasets.exporters.dicom_source import Source, decimal_string
from voxloop.kernel.uids import exported_uid
from voxloop.volume.pack.codec import Voxels

CLASSES = {
    "CR": (ComputedRadiographyImageStorage,),
    "DX": (DigitalXRayImageStorageForPresentation, DigitalXRayImageStorageForProcessing),
}
EMPTY = (
    *("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber", "StudyID"),
    *("ReferringPhysicianName", "Manufacturer"),
)
CHEST = ("51185008", "SCT", "Chest")


def xray_image(scan: Mapping[str, Any], source: Source, values_zyx: Voxels) -> Dataset:
    """The data set of an X-ray of a frozen list, with pixels and file meta."""
    kept: Mapping[str, Any] = scan.get("projection") or {}
    stored_yx = stored_values(values_zyx[0], kept)
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = class_of(scan["modality"], kept)
    uids = source.instance_uids
    image.SOPInstanceUID = uids[0] if uids else exported_uid("slice", source.series_uid, "0")
    image.StudyInstanceUID, image.SeriesInstanceUID = source.study_uid, source.series_uid
    image.PatientID, image.PatientName = source.subject, f"{source.subject}^"
    for keyword in EMPTY:
        setattr(image, keyword, "")
    image.Modality = scan["modality"]
    image.PatientIdentityRemoved = "YES"
    image.DeidentificationMethod = "Voxloop: only pixels, spacing, view and re-keyed UIDs kept"
    image.SeriesNumber = image.InstanceNumber = 1
    image.BodyPartExamined, image.ViewPosition = kept.get("body_part", ""), kept.get("view", "")
    image.PatientOrientation = kept.get("orientation") or ""
    _add_pixels(image, stored_yx, kept)
    spacing = [decimal_string(value) for value in scan["spacing_mm_zyx"][1:]]
    image.ImagerPixelSpacing = spacing
    if kept.get("spacing") == "PixelSpacing":
        image.PixelSpacing = spacing
    if image.SOPClassUID in CLASSES["DX"]:
        _complete_dx(image, stored_yx)
    elif not image.BodyPartExamined:  # one that is known here has no sides
        image.Laterality = ""
    if image.SOPClassUID == SecondaryCaptureImageStorage:
        image.ConversionType = "WSD"
    return image


def class_of(modality: str, kept: Mapping[str, Any]) -> str:
    """The class that the file had. A DX image must say where its rows point, and have unsigned pixels; one that does
    not (many files, and every picture) is a secondary capture, which claims neither."""
    known = CLASSES[modality]
    if modality == "DX" and (kept.get("is_signed") or not kept.get("orientation")):
        return SecondaryCaptureImageStorage
    return next((uid for uid in known if uid == kept.get("sop_class_uid")), known[0])


def stored_values(values_yx: npt.NDArray[Any], kept: Mapping[str, Any]) -> npt.NDArray[np.int32]:
    """What intake made bright = dense, as the file had it."""
    values: npt.NDArray[np.int32] = values_yx.astype(np.int32)
    if kept.get("inverted_at") is not None:
        values = int(kept["inverted_at"]) - values
    return values + int(kept.get("offset", 0))


def _add_pixels(image: Dataset, stored_yx: npt.NDArray[np.int32], kept: Mapping[str, Any]) -> None:
    allocated, is_signed = int(kept.get("bits_allocated", 16)), bool(kept.get("is_signed", False))
    image.ImageType = ["ORIGINAL", "PRIMARY", ""]
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME1" if kept.get("inverted_at") is not None else "MONOCHROME2"
    image.Rows, image.Columns = stored_yx.shape
    image.BitsAllocated, image.BitsStored = allocated, int(kept.get("bits_stored", allocated))
    image.HighBit = image.BitsStored - 1
    image.PixelRepresentation = int(is_signed)
    data = stored_yx.astype(f"<{'i' if is_signed else 'u'}{allocated // 8}").tobytes()
    image.add_new("PixelData", "OW", data + bytes(len(data) % 2))


def _complete_dx(image: Dataset, stored_yx: npt.NDArray[np.int32]) -> None:
    """What a DX image needs besides (PS3.3 C.8.11); what is not known is empty, or the neutral word."""
    is_shown = image.SOPClassUID == DigitalXRayImageStorageForPresentation
    image.PresentationIntentType = "FOR PRESENTATION" if is_shown else "FOR PROCESSING"
    image.PixelIntensityRelationship = "LOG" if is_shown else "LIN"
    image.PixelIntensityRelationshipSign = 1 if image.PhotometricInterpretation == "MONOCHROME1" else -1
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = 0, 1, "US"
    image.PresentationLUTShape = "INVERSE" if image.PhotometricInterpretation == "MONOCHROME1" else "IDENTITY"
    image.LossyImageCompression = "00"
    image.BurnedInAnnotation = "NO"
    image.DetectorType = ""
    image.PositionerType = "NONE"
    image.ImageLaterality = "U"
    image.AnatomicRegionSequence = []
    if image.BodyPartExamined == "CHEST":
        region = Dataset()
        region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = CHEST
        image.AnatomicRegionSequence = [region]
    image.AcquisitionContextSequence = []
    if not is_shown:
        return
    low, high = int(stored_yx.min()), int(stored_yx.max())
    image.WindowCenter, image.WindowWidth = decimal_string((low + high + 1) / 2), decimal_string(high - low + 1)
