"""Programs that are not ours, which read a release back."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import SimpleITK

from voxloop.volume.geometry import Geometry

SCRIPTS = Path(sys.executable).parent


def dcmqi_segments(path: Path, folder: Path) -> dict[int, SimpleITK.Image]:
    """Segments of a BINARY segmentation by number, each as the volume that dcmqi makes of it (1 inside)."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [SCRIPTS / "segimage2itkimage", "--inputDICOM", path, "--outputDirectory", folder, "-t", "nrrd"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {int(file.stem): SimpleITK.ReadImage(str(file)) for file in folder.glob("*.nrrd")}


def place_on(geometry: Geometry, image: SimpleITK.Image) -> np.ndarray:
    """A volume that covers a part of a grid, on the whole of it (uint8, zyx). Every voxel must lie on one of the grid,
    to 1e-4 mm."""
    voxels = SimpleITK.GetArrayFromImage(image)
    whole = np.zeros(geometry.shape_zyx, np.uint8)
    ijk_from_lps = np.linalg.inv(geometry.affine())
    for kji in np.argwhere(voxels):
        lps = np.array(image.TransformIndexToPhysicalPoint([int(n) for n in kji[::-1]]))
        index = np.rint((ijk_from_lps @ [*lps, 1])[:3]).astype(int)
        assert np.abs(geometry.lps_of(index) - lps).max() < 1e-4
        whole[tuple(index[::-1])] = voxels[tuple(kji)]
    return whole


def ml_of(image: SimpleITK.Image) -> float:
    """The volume in mL that a reader of it would tell."""
    return float(np.count_nonzero(SimpleITK.GetArrayFromImage(image)) * np.prod(image.GetSpacing()) / 1000)
