"""A radiograph as a detector writes it: one frame of uint16 with a bright disc, without frame of reference."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset

from tests.unit.intake.series import change, make_series

ROWS, COLUMNS = 120, 96


def stored_values() -> np.ndarray[Any, np.dtype[np.uint16]]:
    """A dark field that grows brighter downwards, with a dense disc far over 32 767."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    values = 4_000 + 60 * y + 20 * (x % 7)
    values[(y - 60) ** 2 + (x - 40) ** 2 <= 14**2] = 58_000
    return np.asarray(values, np.uint16)


def make_xray(folder: Path, photometric: str) -> Path:
    """A DX as a detector writes it; MONOCHROME1 stores bright as low."""
    paths = make_series(folder)
    for path in paths[1:]:
        path.unlink()
    values = stored_values() if photometric == "MONOCHROME2" else (65_535 - stored_values())

    def as_xray(_: int, dataset: Dataset) -> None:
        dataset.Modality, dataset.SOPClassUID = "DX", "1.2.840.10008.5.1.4.1.1.1.1"
        dataset.PhotometricInterpretation = photometric
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept"):
            delattr(dataset, keyword)
        dataset.Rows, dataset.Columns, dataset.PixelRepresentation = ROWS, COLUMNS, 0
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit = 15
        dataset.PixelSpacing = [0.4, 0.5]
        dataset.PatientOrientation = ["L", "F"]
        dataset.PixelData = values.tobytes()

    change(paths[:1], as_xray)
    return folder
