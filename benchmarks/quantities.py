"""The quantities of a scan of 512×512×300, from voxels, mask and lung limit: processor seconds of one core. Beside it
SimpleITK's label statistics of the same mask, which give volumes, mean HU and Feret diameters, but know no lungs."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import SimpleITK
from scipy import ndimage as ndi

from benchmarks._rows import plain_row, ratio_row
from voxloop.volume.geometry import Geometry
from voxloop.volume.growing import lung_limit
from voxloop.volume.measuring import find_regions, measure_mask
from voxloop.volume.phantom import make_phantom

SHAPE, SPACING = (300, 512, 512), (1.0, 0.7, 0.7)
MOST_S = 2.0


def run() -> Iterator[dict[str, Any]]:
    """A phantom, enlarged; the truth of its findings is the mask."""
    phantom = make_phantom(77, "B", (75, 192, 192))
    steps = [n / m for n, m in zip(SHAPE, phantom.hu_zyx.shape, strict=True)]
    hu = ndi.zoom(phantom.hu_zyx.astype(np.float32), steps, order=1).astype(np.int16)
    labels = ndi.zoom(phantom.findings_zyx, steps, order=0)
    segments = [int(value) for value in np.unique(labels) if value]
    geometry = Geometry.axial(SHAPE, SPACING)
    limit, _ = lung_limit(hu, SPACING)
    assert limit is not None
    size = "×".join(map(str, SHAPE[::-1]))
    start = time.process_time()
    regions = find_regions(geometry, voxels_zyx=hu, limit_zyx=limit, labels_zyx=labels)
    found_lungs = time.process_time()
    found = measure_mask(labels, hu, geometry, segments=segments, opacities=segments, regions=regions)
    ours = time.process_time()
    yield plain_row("quantities", f"{size}: lungs, sides, thirds and findings", ours - start, "CPU s", MOST_S)
    yield plain_row("quantities", f"{size}: of it, lungs and their parts", found_lungs - start, "CPU s")
    image, mask = SimpleITK.GetImageFromArray(hu), SimpleITK.GetImageFromArray(labels)
    for one in (image, mask):
        one.SetSpacing(SPACING[::-1])
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    begun = time.process_time()
    peer = SimpleITK.LabelIntensityStatisticsImageFilter()
    peer.ComputeFeretDiameterOn()
    peer.Execute(mask, image)
    ended = time.process_time()
    yield ratio_row(
        "quantities", f"{size}: findings alone, beside SimpleITK", ours - found_lungs, ended - begun, "CPU s"
    )
    theirs = sum(peer.GetPhysicalSize(label) for label in peer.GetLabels()) / 1000
    yield ratio_row("quantities", f"{size}: volume of all findings", found.opacity, theirs, "mL")
