"""Images as DICOM again, one file a slice, written by pydicom out of the volume pack: CT (CT Image Storage, PS3.3 A.3)
here, X-rays in `dicom_xray`.

The de-identified originals are not kept; a file holds the voxels (HU, slope 1), their geometry and the re-keyed UIDs,
to which the segmentations refer, and nothing else. Not compressed, so that every program reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian

from annotation.datasets.exporters.dicom_source import slice_headers, source_of_scan
from annotation.datasets.exporters.dicom_xray import xray_image
from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels
from voxloop.volume.geometry import Geometry

ROLE = "dicom"
WINDOW_HU = (-600, 1500)  # centre and width: lungs


class Writer:
    """The series of every scan."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.listing = listing

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> None:
        """One file for each slice, `0001.dcm` being `k` = 0; one for an X-ray."""
        source = source_of_scan(scan, voxels.instance_uids)
        if scan["modality"] != "CT":
            path = self.listing.place(f"dicom/{scan['code']}", "0001.dcm")
            xray_image(scan, source, voxels.hu_zyx).save_as(path, enforce_file_format=True)
            self.listing.add(path, ROLE, scan["code"])
            return
        headers = slice_headers(Geometry.from_json(scan), source)
        for k, (image, hu_yx) in enumerate(zip(headers, voxels.hu_zyx, strict=True), start=1):
            path = self.listing.place(f"dicom/{scan['code']}", f"{k:04d}.dcm")
            describe_image(image)
            add_pixels(image, hu_yx.astype("<i2").tobytes(), ExplicitVRLittleEndian)
            image.save_as(path, enforce_file_format=True)
            self.listing.add(path, ROLE, scan["code"])

    def finish(self, told: Sequence[Any]) -> None:
        """Nothing is about all scans."""


def describe_image(image: Dataset) -> None:
    """What an image needs besides its geometry and its pixels (int16 HU)."""
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.PatientIdentityRemoved = "YES"
    image.DeidentificationMethod = "Voxloop: only voxels, geometry and re-keyed UIDs kept"
    image.SeriesNumber = 1
    image.PatientPosition = image.Laterality = ""  # not known any more; both must be there (type 2C)
    image.Manufacturer = ""
    image.AcquisitionNumber = None
    image.KVP = None
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit = 15
    image.PixelRepresentation = 1
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = 0, 1, "HU"
    image.WindowCenter, image.WindowWidth = WINDOW_HU  # without one viewers begin with the whole range, all grey


def add_pixels(image: Dataset, pixels: bytes, syntax: UID) -> None:
    """The pixels of one slice: as they are (little endian), or for a compressed transfer syntax their codestream."""
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = syntax
    if not syntax.is_encapsulated:
        image.add_new("PixelData", "OW", pixels)
        return
    image.add_new("PixelData", "OB", encapsulate([pixels]))
    image["PixelData"].is_undefined_length = True
