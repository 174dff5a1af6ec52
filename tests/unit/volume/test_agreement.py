"""Agreement: against known figures and the implementations that the field names, and where masks are empty."""

import json
import math
from typing import Any

import numpy as np
import pytest
import SimpleITK
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics.surface_dice import compute_surface_dice
from scipy import stats
from skimage.measure import label

from tests.vectors.make_agreement import SHROUT, blobs, pairs
from tests.vectors.make_codecs import FOLDER
from voxloop.volume.agreement import (
    agree,
    bland_altman,
    cohen_kappa,
    dice,
    fleiss_kappa,
    icc_a1,
    icc_c1,
    krippendorff_alpha,
    majority,
    match_lesions,
    measure_surfaces,
    staple,
)

SPACING = (2.0, 1.0, 1.0)
REFERENCE = json.loads((FOLDER / "agreement.json").read_text())
PAIRS = pairs()
CLOSE: dict[str, Any] = {"rel": 1e-6, "abs": 1e-6}


def block(low: Any, high: Any, shape: tuple[int, int, int] = (20, 30, 30)) -> Any:
    mask = np.zeros(shape, np.bool_)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def test_half_overlap() -> None:
    first, second = block((5, 5, 5), (10, 15, 15)), block((5, 5, 10), (10, 15, 20))
    assert dice(first, second) == pytest.approx(0.5)
    result = agree(first, second, SPACING)
    assert (result.first_ml, result.second_ml, result.difference_ml) == pytest.approx((1.0, 1.0, 0.0))


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "one_voxel_of_one_slice"])
def test_dice_is_that_of_itk(name: str) -> None:
    images = [SimpleITK.GetImageFromArray(mask.astype(np.uint8)) for mask in PAIRS[name]]
    measures = SimpleITK.LabelOverlapMeasuresImageFilter()
    measures.Execute(*images)
    assert dice(*PAIRS[name]) == pytest.approx(measures.GetDiceCoefficient(), **CLOSE)


@pytest.mark.parametrize("row", REFERENCE["surfaces"], ids=lambda row: f"{row['pair']}-{row['spacing_mm_zyx'][0]}")
def test_surfaces_are_those_of_surface_distance(row: Any) -> None:
    of = measure_surfaces(*PAIRS[row["pair"]], tuple(row["spacing_mm_zyx"]))
    assert [float(areas.sum()) for areas in of.areas_mm2] == pytest.approx(row["areas_mm2"], **CLOSE)
    for tolerance_mm, value in row["dice"].items():
        assert of.dice(float(tolerance_mm)) == pytest.approx(value, **CLOSE)
    assert of.hd95_mm == pytest.approx(row["hd95_mm"], **CLOSE)
    assert of.assd_mm == pytest.approx(row["assd_mm"], **CLOSE)


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")  # of a call within MONAI
@pytest.mark.parametrize("name", ["cube_with_one_face_moved", "blobs", "noise"])
def test_surface_dice_is_that_of_monai_with_areas(name: str) -> None:
    # Both elements of MONAI's are one-hot, and the background is left out.
    first, second = (torch.tensor(np.stack([~mask, mask])[None]) for mask in PAIRS[name])
    said = compute_surface_dice(first, second, class_thresholds=[1.0], spacing=(5.0, 0.7, 0.7), use_subvoxels=True)
    assert measure_surfaces(*PAIRS[name], (5.0, 0.7, 0.7)).dice(1.0) == pytest.approx(float(said), **CLOSE)


def test_a_face_moved_by_a_voxel_is_weighed_by_its_area_not_counted() -> None:
    """A count of surface voxels says .83794 here, the definition by area .83863."""
    first, second = block((5, 5, 5), (15, 15, 15), (20,) * 3), block((5, 5, 5), (15, 15, 16), (20,) * 3)
    assert measure_surfaces(first, second, (1.0, 1.0, 1.0)).dice(0.5) == pytest.approx(0.838631, abs=1e-6)


def test_empty_masks() -> None:
    empty, filled = np.zeros((4, 4, 4), np.bool_), np.ones((4, 4, 4), np.bool_)
    both = agree(empty, empty, SPACING)
    assert (both.dice, both.surface_dice, both.hd95_mm, both.assd_mm, both.lesions.f1) == (1, 1, 0, 0, 1)
    for first, second in ((empty, filled), (filled, empty)):
        one = agree(first, second, SPACING)
        assert (one.dice, one.surface_dice, one.hd95_mm, one.assd_mm, one.lesions.f1) == (0, 0, None, None, 0)
    same = agree(filled, filled, SPACING)
    assert (same.dice, same.surface_dice, same.hd95_mm, same.assd_mm, same.lesions.f1) == (1, 1, 0, 0, 1)


def test_other_shapes_and_labelmaps_are_refused() -> None:
    for measure in (dice, match_lesions, lambda a, b: agree(a, b, SPACING)):
        with pytest.raises(ValueError, match="boolean masks"):
            measure(np.zeros((2, 2, 2), np.bool_), np.zeros((2, 2, 3), np.bool_))
        with pytest.raises(ValueError, match="boolean masks"):
            measure(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 2), np.uint8))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.1, 5))
def test_both_ways_round_it_is_the_same(seed: int, tolerance: float) -> None:
    first, second = np.random.default_rng(seed).random((2, 6, 9, 9)) > 0.7
    there, back = agree(first, second, SPACING, tolerance), agree(second, first, SPACING, tolerance)
    assert there.surface_dice == pytest.approx(back.surface_dice)
    assert (there.dice, there.hd95_mm, there.lesions.f1) == (back.dice, back.hd95_mm, back.lesions.f1)
    assert 0 <= there.surface_dice <= 1


@pytest.mark.parametrize("seed", range(4))
def test_lesions_are_matched_as_by_the_parts_of_scikit_image(seed: int) -> None:
    first, second = blobs(seed) & ~blobs(seed + 10), blobs(seed + 20) & ~blobs(seed + 30)
    ours = match_lesions(first, second)
    shares, counts = [], []
    for own, other in ((first, second), (second, first)):
        parts = label(own, connectivity=3)  # type: ignore[no-untyped-call]
        met = [bool((other & (parts == part)).any()) for part in range(1, parts.max() + 1)]
        counts += [len(met), sum(met)]
        shares.append(sum(met) / len(met))
    assert [ours.first, ours.first_met, ours.second, ours.second_met] == counts
    assert ours.f1 == pytest.approx(stats.hmean(shares), **CLOSE)
    assert ours.first > 3


@pytest.mark.parametrize("row", REFERENCE["kappas"], ids=lambda row: f"{row['classes']}-{row['weights']}")
def test_kappa_is_that_of_scikit_learn(row: Any) -> None:
    ours = cohen_kappa(row["first"], row["second"], range(row["classes"]), row["weights"])
    assert ours == pytest.approx(row["kappa"], **CLOSE)


def test_kappa() -> None:
    assert cohen_kappa("yyynn", "yynnn") == pytest.approx((0.8 - 0.48) / 0.52)
    assert cohen_kappa([1, 1], [1, 1]) == 1
    assert cohen_kappa([1, 2, 1, 2], [1, 1, 2, 2]) == pytest.approx(0)
    with pytest.raises(ValueError, match="needs the scale"):
        cohen_kappa("a", "a", weights="linear")
    with pytest.raises(ValueError, match="not on the scale"):
        cohen_kappa("a", "b", "a")
    with pytest.raises(ValueError, match="equally long"):
        cohen_kappa([], [])


def test_many_readers_are_those_of_statsmodels_and_krippendorff() -> None:
    readers = REFERENCE["readers"]
    assert fleiss_kappa(readers["counts"]) == pytest.approx(readers["fleiss"], **CLOSE)
    for row in readers["alpha"]:
        codes = np.array(row["codes"], np.float64)  # what is missing becomes NaN
        assert krippendorff_alpha(codes, row["level"]) == pytest.approx(row["alpha"], **CLOSE)
    assert fleiss_kappa([[3, 0], [3, 0]]) == 1
    assert krippendorff_alpha([[1.0, 1.0, math.nan], [1.0, 1.0, 2.0]]) == 1
    for counts in ([[1, 0], [1, 0]], [[2, 0], [2, 1]], []):
        with pytest.raises(ValueError, match="Fleiss"):
            fleiss_kappa(counts)
    with pytest.raises(ValueError, match="two readers"):
        krippendorff_alpha([[1.0, math.nan], [math.nan, 2.0]])


@pytest.mark.parametrize("row", REFERENCE["iccs"], ids=lambda row: f"{len(row['values'])}x{len(row['values'][0])}")
def test_intraclass_correlations_are_those_of_pingouin(row: Any) -> None:
    for name, measure in (("a1", icc_a1), ("c1", icc_c1)):
        ours = measure(row["values"])
        assert ours.value == pytest.approx(row[name]["value"], **CLOSE)
        assert (ours.low, ours.high) == pytest.approx(row[name]["interval"], **CLOSE)


def test_intraclass_correlations_as_published_and_at_their_ends() -> None:
    assert (icc_a1(SHROUT).value, icc_c1(SHROUT).value) == pytest.approx((0.29, 0.71), abs=0.005)
    same = [[1, 1], [5, 5], [9, 9]]
    assert icc_a1(same).value == icc_c1(same).value == 1
    shifted = [[1, 3], [5, 7], [9, 11]]
    assert icc_c1(shifted).value == 1
    for values in ([[1.0, 1.0]], [[1.0], [2.0]], [[1.0, 2.0], [math.nan, 3.0]], [[2.0, 2.0], [2.0, 2.0]]):
        with pytest.raises(ValueError, match=r"intraclass|all values"):
            icc_a1(values)
    with pytest.raises(ValueError, match="same amount"):
        icc_a1(shifted)


def test_bland_altman() -> None:
    """Peak flow by two meters: the data and the figures of Bland and Altman 1986."""
    large = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    ours = bland_altman(large, mini)
    assert ours.bias.value == pytest.approx(-2.1, abs=0.05)
    assert (ours.lower.value, ours.upper.value) == pytest.approx((-78.1, 73.9), abs=0.1)  # with 1.96 SD, not 2
    apart = np.subtract(large, mini)
    interval = stats.ttest_1samp(apart, 0).confidence_interval()
    assert (ours.bias.low, ours.bias.high) == pytest.approx((interval.low, interval.high), **CLOSE)
    assert ours.upper.value == pytest.approx(stats.norm.ppf(0.975, apart.mean(), stats.tstd(apart)), **CLOSE)
    half = stats.t.ppf(0.975, 16) * stats.tstd(apart) * math.sqrt(1 / 17 + stats.norm.ppf(0.975) ** 2 / 32)
    assert (ours.lower.high - ours.lower.value) == pytest.approx(half, **CLOSE)
    roots = bland_altman(large, mini, by_root=True)
    assert roots.bias.value == pytest.approx(float((np.sqrt(large) - np.sqrt(mini)).mean()), **CLOSE)
    for first, second in (([1, 2], [1, 2]), ([1, 2, math.inf], [1, 2, 3])):
        with pytest.raises(ValueError, match="Bland-Altman"):
            bland_altman(first, second)
    with pytest.raises(ValueError, match="square root"):
        bland_altman([-1, 2, 3], [1, 2, 3], by_root=True)


@pytest.mark.parametrize("row", REFERENCE["staples"], ids=lambda row: f"{row['readers']} readers")
def test_staple_is_that_of_itk(row: Any) -> None:
    codes = np.repeat([int(code) for code in row["voxels"]], list(row["voxels"].values())).reshape(1, 1, -1)
    ours = staple([(codes >> reader) & 1 == 1 for reader in range(row["readers"])])
    for code, probability in row["probability"].items():
        assert ours.probability_zyx[codes == int(code)][0] == pytest.approx(probability, **CLOSE)
    assert ours.sensitivity == pytest.approx(row["sensitivity"], **CLOSE)
    assert ours.specificity == pytest.approx(row["specificity"], **CLOSE)


def test_staple_where_readers_say_little() -> None:
    empty, some = np.zeros((3, 4, 4), np.bool_), block((0, 0, 0), (2, 2, 2), (3, 4, 4))
    assert not staple([empty, empty, empty]).mask_zyx.any()
    assert staple([~empty, ~empty]).mask_zyx.all()
    assert not staple([some, empty]).mask_zyx.any()  # one half, and one half is no majority
    assert (staple([some, some, empty]).mask_zyx == some).all()
    with pytest.raises(ValueError, match="two or more"):
        staple([some])
    with pytest.raises(ValueError, match="at most"):
        staple([some] * 17)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 5))
def test_majority_is_the_vote_of_itk(seed: int, readers: int) -> None:
    readings = np.random.default_rng(seed).integers(0, 4, (readers, 3, 6, 7)).astype(np.uint8)
    vote = SimpleITK.LabelVotingImageFilter()
    vote.SetLabelForUndecidedPixels(0)
    images = [SimpleITK.GetImageFromArray(one) for one in readings]
    assert (majority(list(readings)) == SimpleITK.GetArrayFromImage(vote.Execute(images))).all()


def test_an_erased_voxel_is_a_vote_for_nothing() -> None:
    readings = [np.full((1, 1, 1), value, np.uint8) for value in (255, 255, 2)]
    assert majority(readings).item() == 0
    with pytest.raises(ValueError, match="two or more"):
        majority(readings[:1])
