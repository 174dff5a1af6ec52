"""The real chest CT of the development data, read by SimpleITK, so that benchmarks do not depend on our own reader."""

import os
from pathlib import Path

import numpy as np
import SimpleITK

FOLDER = Path(os.environ.get("VOXLOOP_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
LIDC = "lidc/LIDC-IDRI-0001"
# What lies outside the reconstruction circle is −2000 in this scan; intake raises it to air.
LOWEST_HU, HIGHEST_HU = -1024, 3071


def real_chest_ct() -> tuple[np.ndarray, tuple[float, float, float]] | None:
    """HU (int16, zyx) as intake stores them, and spacing in mm (zyx); `None` where the scan is not present."""
    folder = FOLDER / LIDC
    if not folder.is_dir():
        return None
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    sx, sy, sz = image.GetSpacing()
    hu = np.clip(SimpleITK.GetArrayFromImage(image), LOWEST_HU, HIGHEST_HU).astype(np.int16)
    return hu, (sz, sy, sx)
