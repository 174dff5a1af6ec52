"""NIfTI with the axes that the file of a scan had before intake turned them, so that it lies over its source voxel by
voxel. A scan that did not come as NIfTI is the file of `images/` again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels
from annotation.datasets.exporters.manifest import folder_of
from voxloop.volume.geometry import Geometry
from voxloop.volume.nifti import turn_axes, write_image, write_labels

ROLE = "nifti_original"
OURS = "LPS"


class Writer:
    """Images and every layer."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.frozen, self.listing = frozen, listing

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> None:
        """One file each, under the name that it has without this format."""
        axes, geometry = scan.get("axes", OURS), Geometry.from_json(scan)
        image = self._place("images", scan)
        if axes == OURS:
            self.listing.add_copy(self.listing.folder / "images" / image.name, image, ROLE, scan["code"])
        else:
            write_image(image, *turn_axes(voxels.hu_zyx, geometry, axes))
            self.listing.add(image, ROLE, scan["code"])
        for layer, labels_zyx in clean_zyx.items():
            label = self._place(folder_of("labels", layer, self.frozen), scan)
            write_labels(label, *turn_axes(labels_zyx, geometry, axes))
            self.listing.add(label, ROLE, scan["code"], layer)

    def finish(self, told: Sequence[Any]) -> None:
        """Nothing is about all scans."""

    def _place(self, folder: str, scan: Mapping[str, Any]) -> Path:
        return self.listing.place(f"nifti-original/{folder}", f"{scan['code']}.nii.gz")
