"""DICOM segmentations of the kind LABELMAP (Supplement 243) beside the BINARY ones, with the same segment numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from highdicom.seg import SegmentationTypeValues

from annotation.datasets.exporters.dicom_seg import write_layer
from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels
from annotation.datasets.exporters.manifest import folder_of

ROLE = "dicom_seg_labelmap"


class Writer:
    """Every layer of every CT."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.frozen, self.listing = frozen, listing

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> None:
        """A projection image has no frame of reference and so no segmentation."""
        if scan["modality"] != "CT":
            return
        for layer, labels_zyx in clean_zyx.items():
            path = self.listing.place(folder_of("dicom-seg-labelmap", layer, self.frozen), f"{scan['code']}.dcm")
            write_layer(path, labels_zyx, self.frozen, scan, layer, voxels, SegmentationTypeValues.LABELMAP)
            self.listing.add(path, ROLE, scan["code"], layer)

    def finish(self, told: Sequence[Any]) -> None:
        """Nothing is about all scans."""
