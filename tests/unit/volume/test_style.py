"""The signed offset of a reader's border, and the HU that are marked, against known figures and implementations."""

import numpy as np
import pytest
import SimpleITK

from tests.unit.volume.test_agreement import SPACING, block
from voxloop.volume.agreement import border_offset_mm, hu_range

SHAPE = (40, 60, 60)
GRID = np.ogrid[tuple(slice(0, n) for n in SHAPE)]


def ball(radius_mm: float, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> np.ndarray:
    centre = [n // 2 for n in SHAPE]
    squares = [((g - c) * mm) ** 2 for g, c, mm in zip(GRID, centre, spacing, strict=True)]
    return np.asarray(sum(squares) < radius_mm**2)


@pytest.mark.parametrize("radius", [11.0, 13.0, 17.0])
def test_a_larger_ball_lies_outside_by_the_difference_of_the_radii(radius: float) -> None:
    spacing = (1.5, 1.0, 1.0)
    found = border_offset_mm(ball(radius, spacing), ball(14.0, spacing), spacing)
    assert found == pytest.approx(radius - 14.0, rel=0.12)


def of_itk(mask: np.ndarray, spacing: tuple[float, float, float]) -> tuple[float, float]:
    """Volume in mm³ and area in mm² (Lehmann and Legland 2012)."""
    image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing[::-1])
    shape = SimpleITK.LabelShapeStatisticsImageFilter()
    shape.ComputePerimeterOn()
    shape.Execute(image)
    return shape.GetPhysicalSize(1), shape.GetPerimeter(1)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.5, 0.8, 0.8)])
def test_it_is_the_volume_between_over_the_area_that_itk_measures(spacing: tuple[float, float, float]) -> None:
    reference, drawn = ball(14.0, spacing), ball(17.0, spacing)
    drawn[:, :, :30] &= ball(12.0, spacing)[:, :, :30]  # too small on one side, too large on the other
    (volume, area), (volume_of_reference, area_of_reference) = (of_itk(one, spacing) for one in (drawn, reference))
    expected = (volume - volume_of_reference) / ((area + area_of_reference) / 2)
    found = border_offset_mm(drawn, reference, spacing)
    assert found == pytest.approx(expected, rel=0.15)
    assert found > 0
    back = border_offset_mm(reference, drawn, spacing)
    assert back == pytest.approx(-found)


def test_a_lesion_that_only_one_has_moves_no_border() -> None:
    reference, drawn = block((6, 4, 4), (14, 12, 12)), block((6, 4, 4), (14, 12, 12))
    assert border_offset_mm(drawn, reference, SPACING) == 0
    drawn[6:9, 20:28, 20:28] = True
    assert border_offset_mm(drawn, reference, SPACING) == 0
    assert border_offset_mm(drawn & ~reference, reference, SPACING) is None
    assert border_offset_mm(np.zeros_like(drawn), np.zeros_like(drawn), SPACING) is None
    with pytest.raises(ValueError, match="same shape"):
        border_offset_mm(drawn, reference[1:], SPACING)


def test_the_hu_of_what_is_marked() -> None:
    hu = np.arange(1001, dtype=np.int16).reshape(7, 11, 13) - 500
    assert hu_range(np.ones_like(hu, np.bool_), hu) == pytest.approx((-450, 0, 450))
    assert hu_range(np.zeros_like(hu, np.bool_), hu) is None
