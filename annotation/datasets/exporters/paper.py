"""What a paper tells of the release, as files of the export."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels
from annotation.datasets.exporters.manifest import manifest_hash
from annotation.datasets.paper.document import write_document
from annotation.datasets.paper.forms import MEDIA_TYPES, render_blocks

ROLE = "paper"


class Writer:
    """One document in three forms, about all scans."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.frozen, self.listing = frozen, listing

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> None:
        """Nothing is about one scan."""

    def finish(self, told: Sequence[Any]) -> None:
        """The documents are made of the frozen list alone."""
        blocks = write_document(self.frozen, manifest_hash(self.frozen))
        for form in MEDIA_TYPES:
            path = self.listing.place("paper", f"paper.{form}")
            path.write_bytes(render_blocks(blocks, self.frozen, form))
            self.listing.add(path, ROLE)
