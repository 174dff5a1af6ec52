"""The phantoms of the demonstration, and the DICOM series made of them."""

import functools
import shutil
from dataclasses import replace
from pathlib import Path

from annotation.demonstration.dicom import SCANNERS, write_ct_series
from annotation.demonstration.plan import (
    seed_of,
)
from voxloop.volume.phantom import Phantom, make_phantom

SHAPE_ZYX = (64, 192, 192)


@functools.lru_cache(maxsize=8)
def phantom_of(pseudonym: str) -> Phantom:
    """The subject's phantom on its site's scanner; cached, because the labelled ones are needed again for their ground
    truth."""
    return make_phantom(seed_of(pseudonym), pseudonym.split("-")[1], SHAPE_ZYX)


def write_series(pseudonym: str, folder: Path) -> None:
    """The subject's scan as the DICOM series that its site's scanner writes."""
    phantom = phantom_of(pseudonym)
    look = phantom.profile
    scanner = replace(SCANNERS[look.name.lower()], manufacturer=look.manufacturer, model=look.model, kernel=look.kernel)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_ct_series(
        folder,
        phantom.hu_zyx,
        phantom.geometry,
        subject=pseudonym,
        scanner=scanner,
        description=f"CT chest, {look.kernel.lower()} kernel",
        contrast=phantom.with_contrast,
    )
