"""Phantoms as DICOM: a pseudonymised CT series as a scanner would write it, to be imported normally."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
)

from voxloop.kernel.uids import derive_uid
from voxloop.volume.geometry import Geometry

INTERCEPT_HU = -1024
BITS_STORED = 12
DECIMAL_PLACES = 6
_ENCODERS: dict[str, Callable[[npt.NDArray[np.uint16]], bytes]] = {
    HTJ2KLossless: lambda image: bytes(imagecodecs.htj2k_encode(image, reversible=True)),
    JPEG2000Lossless: lambda image: bytes(imagecodecs.jpeg2k_encode(image, reversible=True, codecformat="j2k")),
    JPEGLSLossless: lambda image: bytes(imagecodecs.jpegls_encode(image)),
}


@dataclass(frozen=True)
class Scanner:
    """A site's scanner. The names are invented; kernels and compression differ as in reality."""

    manufacturer: str
    model: str
    kernel: str
    kvp: int = 120
    software: str = "1.0"
    transfer_syntax: str = ExplicitVRLittleEndian


# One per demonstration site: soft, sharp and in-between kernels, two kinds of compression.
SCANNERS = {
    "a": Scanner("Aster Imaging", "Aster 64", "LUNG"),
    "b": Scanner("Borealis Medical", "Borealis Flash", "B70f", 100, "VA20A", ImplicitVRLittleEndian),
    "c": Scanner("Cirrus Systems", "Cirrus One", "FC51", 120, "5.2", JPEGLSLossless),
    "d": Scanner("Dorado Medical", "Dorado 80", "I50f", 110, "3.1"),
}


def write_ct_series(
    folder: Path,
    hu_zyx: npt.NDArray[np.int16],
    geometry: Geometry,
    *,
    subject: str,
    scanner: Scanner,
    description: str = "CT chest, lung kernel",
    contrast: bool = False,
) -> list[Path]:
    """Write one CT Image Storage file a slice (PS3.3 A.3) into an existing folder; returns them in order of k.

    `hu_zyx` is in HU, −1024 … 3071. UIDs derive from `subject` and `description`: the result is reproducible. Raises
    ValueError for another shape than the geometry's, or voxels outside the range."""
    if hu_zyx.shape != geometry.shape_zyx:
        raise ValueError(f"voxels {hu_zyx.shape} on a grid of {geometry.shape_zyx}")
    if hu_zyx.min() < INTERCEPT_HU or hu_zyx.max() > INTERCEPT_HU + (1 << BITS_STORED) - 1:
        raise ValueError("voxels outside −1024 … 3071 HU")
    stored_zyx = (hu_zyx.astype(np.int32) - INTERCEPT_HU).astype("<u2")
    encode = _ENCODERS.get(scanner.transfer_syntax)
    series_uid = derive_uid("series", subject, description)
    image = _series(geometry, subject, scanner, description, series_uid, contrast)
    paths: list[Path] = []
    for k, slice_yx in enumerate(stored_zyx):
        sop_uid = f"{series_uid}.{k + 1}"
        x, y, z = geometry.lps_of((0, 0, k))
        image.SOPInstanceUID = sop_uid
        image.file_meta.MediaStorageSOPInstanceUID = UID(sop_uid)
        image.InstanceNumber = k + 1
        image.ImagePositionPatient = [_decimal(v) for v in (x, y, z)]
        image.SliceLocation = _decimal(z)
        if encode is None:
            image.PixelData = slice_yx.tobytes()
        else:
            image.PixelData = encapsulate([encode(np.ascontiguousarray(slice_yx))])
            image["PixelData"].is_undefined_length = True
        path = folder / f"{k + 1:04d}.dcm"
        dcmwrite(path, image, enforce_file_format=True)
        paths.append(path)
    return paths


def _series(
    geometry: Geometry, subject: str, scanner: Scanner, description: str, series_uid: str, contrast: bool
) -> Dataset:
    """The attributes that all slices share."""
    fields: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": CTImageStorage,
        "StudyDate": "",
        "StudyTime": "",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "Modality": "CT",
        "Manufacturer": scanner.manufacturer,
        "ManufacturerModelName": scanner.model,
        "SeriesDescription": description,
        "PatientName": "",
        "PatientID": subject,
        "PatientBirthDate": "",
        "PatientSex": "",
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": "Phantom: there never was a patient",
        "BodyPartExamined": "CHEST",
        "SliceThickness": _decimal(geometry.spacing_mm_zyx[0]),
        "KVP": scanner.kvp,
        "SoftwareVersions": scanner.software,
        "ConvolutionKernel": scanner.kernel,
        "PatientPosition": "HFS",
        "StudyInstanceUID": derive_uid("study", subject),
        "SeriesInstanceUID": series_uid,
        "StudyID": "",
        "SeriesNumber": 1,
        "AcquisitionNumber": 1,
        **_pixels(geometry, subject),
    }
    if contrast:
        fields["ContrastBolusAgent"] = "Iodine"
    image = Dataset()
    for keyword, value in fields.items():
        setattr(image, keyword, value)
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "51185008", "SCT", "Chest"
    image.AnatomicRegionSequence = Sequence([region])
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.TransferSyntaxUID = UID(scanner.transfer_syntax)
    meta.ImplementationClassUID = UID(derive_uid("voxloop"))
    meta.ImplementationVersionName = "VOXLOOP"
    image.file_meta = meta
    return image


def _pixels(geometry: Geometry, subject: str) -> dict[str, Any]:
    """The attributes that describe the pixels."""
    affine = geometry.affine()
    _, spacing_y, spacing_x = geometry.spacing_mm_zyx
    return {
        "ImageOrientationPatient": [_decimal(v) for v in (*affine[:3, 0] / spacing_x, *affine[:3, 1] / spacing_y)],
        "FrameOfReferenceUID": derive_uid("frame", subject),
        "PositionReferenceIndicator": "",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": geometry.shape_zyx[1],
        "Columns": geometry.shape_zyx[2],
        "PixelSpacing": [_decimal(spacing_y), _decimal(spacing_x)],
        "BitsAllocated": 16,
        "BitsStored": BITS_STORED,
        "HighBit": BITS_STORED - 1,
        "PixelRepresentation": 0,
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
        "WindowCenter": -500,
        "WindowWidth": 1500,
        "RescaleIntercept": INTERCEPT_HU,
        "RescaleSlope": 1,
        "RescaleType": "HU",
    }


def _decimal(value: float) -> str:
    """A decimal string of at most 16 characters (PS3.5 6.2, DS)."""
    return f"{round(float(value), DECIMAL_PLACES) + 0.0:.{DECIMAL_PLACES}f}".rstrip("0").rstrip(".")
