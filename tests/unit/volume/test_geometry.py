"""Geometry: JSON, NIfTI affines, and the contradictions that are refused."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry

spacings = st.tuples(*[st.floats(0.2, 10)] * 3)
shapes = st.tuples(*[st.integers(1, 1000)] * 3)
origins = st.tuples(*[st.floats(-1000, 1000)] * 3)
turns = st.tuples(*[st.floats(-180, 180)] * 3)


@st.composite
def geometries(draw: Any) -> Any:
    sz, sy, sx = draw(spacings)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", draw(turns), degrees=True).as_matrix() @ np.diag([sx, sy, sz])
    matrix[:3, 3] = draw(origins)
    return Geometry.from_lps_affine(draw(shapes), matrix)


@given(geometries())
def test_json_and_nifti_give_the_grid_back(geometry: Geometry) -> None:
    assert Geometry.from_json(json.loads(json.dumps(geometry.to_json()))) == geometry
    assert Geometry.from_ras_affine(geometry.shape_zyx, geometry.ras_from_ijk()).is_same_grid(geometry, 1e-6)


@given(geometries(), st.tuples(*[st.floats(-500, 500)] * 3))
def test_a_point_comes_back(geometry: Geometry, ijk: Any) -> None:
    back = np.linalg.solve(geometry.affine(), [*geometry.lps_of(ijk), 1.0])
    assert np.allclose(back[:3], ijk, atol=1e-6)


def test_axial_grid() -> None:
    geometry = Geometry.axial((64, 192, 192), (4.0, 1.8, 1.8), (-100, -90, -50))
    assert geometry.lps_of((10, 20, 30)) == pytest.approx((-82, -54, 70))
    assert np.allclose(geometry.ras_from_ijk() @ [10, 20, 30, 1], [82, 54, 70, 1])
    assert geometry.voxel_ml == pytest.approx(0.01296)


@pytest.mark.parametrize(
    "change",
    [
        {"shape_zyx": [0, 5, 5]},
        {"shape_zyx": [5, 5]},
        {"spacing_mm_zyx": [1, 1, 2]},
        {"spacing_mm_zyx": [-1, 1, 1]},
        {"lps_from_ijk": np.zeros((4, 4)).tolist()},
        {"lps_from_ijk": np.eye(3).tolist()},
        {"lps_from_ijk": [[1, 0, 0.3, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]},
        {"lps_from_ijk": np.diag([1, 1, np.nan, 1]).tolist()},
        {"lps_from_ijk": None},
    ],
)
def test_contradictions_are_refused(change: Any) -> None:
    with pytest.raises(FormatError):
        Geometry.from_json(Geometry.axial((5, 5, 5), (1, 1, 1)).to_json() | change)


def test_another_grid() -> None:
    geometry = Geometry.axial((5, 5, 5), (1, 1, 1))
    assert not geometry.is_same_grid(Geometry.axial((5, 5, 6), (1, 1, 1)))
    assert not geometry.is_same_grid(Geometry.axial((5, 5, 5), (1, 1, 1), (0, 0, 0.1)))
