"""Augmentation with lesions, on patches of a phantom: where they are laid, how bright, and what is labelled."""

from typing import Any

import numpy as np
import pytest
import torch

from mlservice.augment import augment
from mlservice.contract import Segment
from mlservice.made_lesions import (
    BRONCHUS_HU,
    CONSOLIDATED_HU,
    CONSOLIDATED_RADIUS_MM,
    HAZE_RISE_HU,
    NOT_AIR_HU,
    TEXTURE_HU,
    lay_consolidation,
    lay_haze,
    paste_lesions,
)
from mlservice.patches import Patches
from mlservice.preprocess import IGNORED, UNNAMED
from tests.ml.bodies import tiny
from voxloop.volume.growing import lung_limit
from voxloop.volume.phantom import make_phantom

SPACING = (1.8, 1.8)
BATCH = 6


@pytest.fixture(scope="module")
def slices() -> Any:
    """Patches of 96 px out of the middle of a phantom with findings: HU, targets (two classes), inside the limit."""
    phantom = make_phantom(4, "A", (24, 192, 192))
    limit = lung_limit(phantom.hu_zyx, phantom.geometry.spacing_mm_zyx)[0]
    assert limit is not None
    rows = np.argsort(-(phantom.findings_zyx > 0).sum(axis=(1, 2)))[:BATCH]
    box = (np.sort(rows), slice(48, 144), slice(8, 104))
    hu = torch.from_numpy(phantom.hu_zyx[box].astype(np.float32)).unsqueeze(1)
    targets = torch.from_numpy(np.minimum(phantom.findings_zyx[box], 2).astype(np.int64))
    inside = torch.from_numpy(np.ascontiguousarray(limit[box])).unsqueeze(1)
    assert (targets > 0).any()
    assert inside.any()
    assert not inside.all()
    return hu, targets, inside


def seeded(seed: int = 4) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_pasted_lesions_lie_in_the_lungs_and_bring_their_labels(slices: Any) -> None:
    hu, targets, inside = slices
    changed, labels = paste_lesions(hu, targets, inside, share=1.0, generator=seeded())
    moved = changed != hu
    assert moved.any()
    assert not (moved & ~inside).any()
    assert (labels[moved[:, 0]] > 0).all()
    assert (hu[moved] < NOT_AIR_HU).all()
    assert (changed[moved] >= hu[moved]).all()
    assert torch.equal(labels[targets > 0], targets[targets > 0])
    fresh = (labels > 0) & (targets == 0)
    assert set(labels[fresh].tolist()) <= set(targets[targets > 0].tolist())
    assert not (fresh & ~inside[:, 0]).any()


def test_ignored_voxels_stay_ignored_and_are_not_pasted(slices: Any) -> None:
    hu, targets, inside = slices
    ignored = torch.where(targets > 0, IGNORED, targets)
    for generator in (seeded(1), seeded(2)):
        changed, labels = paste_lesions(hu, ignored, inside, share=1.0, generator=generator)
        assert torch.equal(changed, hu)
        assert torch.equal(labels, ignored)
    _, labels = lay_haze(hu, ignored, inside, SPACING, share=1.0, generator=seeded())
    assert (labels[targets > 0] == IGNORED).all()


def test_haze_is_ground_glass_in_the_lungs_without_a_class(slices: Any) -> None:
    hu, targets, inside = slices
    changed, labels = lay_haze(hu, targets, inside, SPACING, share=1.0, generator=seeded())
    rise = changed - hu
    assert (rise >= 0).all()
    assert not ((rise > 0) & ~inside).any()
    fresh = (labels == UNNAMED) & (targets == 0)
    assert 0.01 < fresh.sum() / inside.sum() < 0.6
    assert torch.equal(labels[~fresh], targets[~fresh])
    aerated = fresh & (hu[:, 0] < -750)
    seen = changed[:, 0][aerated]
    assert -800 < seen.mean() < -400
    assert rise.max() < HAZE_RISE_HU[1] + 5 * TEXTURE_HU
    assert torch.equal(changed[hu > 0], hu[hu > 0])


@pytest.mark.parametrize("lay", ["paste", "haze"])
def test_without_a_limit_nothing_is_laid(slices: Any, lay: str) -> None:
    hu, targets, inside = slices
    nowhere = torch.zeros_like(inside)
    if lay == "paste":
        changed, labels = paste_lesions(hu, targets, nowhere, share=1.0, generator=seeded())
    else:
        changed, labels = lay_haze(hu, targets, nowhere, SPACING, share=1.0, generator=seeded())
    assert torch.equal(changed, hu)
    assert torch.equal(labels, targets)


def test_a_consolidation_is_dense_lies_in_the_lungs_and_takes_the_limit_with_it(slices: Any) -> None:
    hu, targets, inside = slices
    changed, labels, limit = lay_consolidation(
        hu, targets, inside.float(), inside, SPACING, share=1.0, generator=seeded()
    )
    moved = changed != hu
    assert not (moved & ~inside).any()
    fresh = (labels != targets).unsqueeze(1)
    assert set(labels[fresh[:, 0]].tolist()) == {UNNAMED}
    assert not (fresh & ~inside).any()
    for patch in range(BATCH):
        area_mm2 = float(fresh[patch].sum()) * SPACING[0] * SPACING[1]
        assert 0 < area_mm2 < 4 * (1.6 * CONSOLIDATED_RADIUS_MM[1]) ** 2
    lost = (limit == 0) & inside
    assert lost.any()
    assert not (lost & ~(fresh | (targets > 0).unsqueeze(1))).any(), "the limit is lost under a dense part alone"
    dense = changed[lost & (hu >= BRONCHUS_HU) & (hu < CONSOLIDATED_HU[0])]
    assert float(dense.median()) == pytest.approx(sum(CONSOLIDATED_HU) / 2, abs=45)
    assert torch.equal(changed[hu < BRONCHUS_HU] < -600, hu[hu < BRONCHUS_HU] < -600), "bronchi stay air"


def test_no_consolidation_is_laid_by_a_share_of_nothing_or_without_a_limit(slices: Any) -> None:
    hu, targets, inside = slices
    nowhere = torch.zeros_like(inside)
    for within, share in ((inside, 0.0), (nowhere, 1.0)):
        changed, labels, limit = lay_consolidation(
            hu, targets, inside.float(), within, SPACING, share=share, generator=seeded()
        )
        assert torch.equal(changed, hu)
        assert torch.equal(labels, targets)
        assert torch.equal(limit, inside.float())


def batch_of(slices: Any, has_limit: bool) -> Patches:
    hu, targets, inside = slices
    images = ((hu + 1250) / 1500).clamp(0, 1)
    limit = inside.float() if has_limit else torch.ones_like(images)
    return Patches(images, limit, torch.full((BATCH,), has_limit), targets)


def test_a_seed_makes_the_same_batch_and_another_seed_another(slices: Any) -> None:
    config = tiny("demo", classes=(Segment(1, "a"), Segment(2, "b")))
    first, again, other = (augment(batch_of(slices, True), config, seeded(seed)) for seed in (4, 4, 5))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.targets, again.targets)
    assert torch.equal(first.limit, again.limit)
    assert not torch.equal(first.images, other.images)


def test_targets_and_limit_turn_with_the_image(slices: Any) -> None:
    _, targets, inside = slices
    config = tiny("demo", lighting=0.0, noise=0.0, paste_share=0.0, haze_share=0.0, consolidation_share=0.0)
    given = Patches(targets.clamp(max=1).float().unsqueeze(1), inside.float(), torch.full((BATCH,), True), targets)
    turned = augment(given, config, seeded())
    assert not torch.equal(turned.targets, targets)
    # A bilinear value above ½ may differ from the nearest voxel along edges only.
    agree = (turned.images[:, 0] > 0.5) == (turned.targets > 0)
    assert agree.float().mean() > 0.98
    findings_inside = float((turned.limit[:, 0] > 0.5)[turned.targets > 0].float().mean())
    assert findings_inside == pytest.approx(float(inside[:, 0][targets > 0].float().mean()), abs=0.05)


def test_a_patch_without_a_limit_gets_no_lesion_of_ours(slices: Any) -> None:
    config = tiny("demo", paste_share=1.0, haze_share=1.0, consolidation_share=1.0, rotate_deg=0.0, zoom=0.0)
    _, targets, _ = slices
    result = augment(batch_of(slices, False), config, seeded())
    assert (result.limit == 1).all()
    assert (result.targets > 0).sum(dim=(1, 2)).tolist() == (targets > 0).sum(dim=(1, 2)).tolist()
