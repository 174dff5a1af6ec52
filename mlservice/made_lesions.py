"""More lesions from few masks: lesions of other patches, and haze made from noise.

The first masks of a campaign hold few large opacities. All functions take a batch of
slices: `hu` (batch, 1, y, x) float32 in Hounsfield units, `targets` (batch, y, x) int64 (0 background, 1… classes,
`UNNAMED`, `IGNORED`), `inside` (batch, 1, y, x) bool, true in the lungs and false everywhere in a patch whose limit is
unknown. Nothing is laid outside `inside`. `share` is the probability that a patch is changed; the generator alone
decides, so that the same seed changes the same patches."""

from __future__ import annotations

import torch
from torch.nn import functional

from mlservice.preprocess import IGNORED, UNNAMED

AERATED_HU = -865.0  # lung that is full of air
# Vessels and walls in a pasted lesion keep their own brightness: from here on a voxel is no air.
NOT_AIR_HU = -125.0
SOFT_HU = 25.0  # an added haze makes nothing brighter than this
HAZY_RISE_HU = 525.0  # a lesion that rises less over the lung is see-through: vessels shine through it
MOST_RISE_HU = 1200.0
PASTED_RISE = (0.5, 1.2)  # factors of a lesion's rise over aerated lung
SEE_THROUGH = 0.8  # share of a hazy lesion's rise that is added to what lies under it
HAZE_CELL_MM, TEXTURE_CELL_MM = 65.0, 11.0  # sizes of the clouds and of the grain within them
TEXTURE_SHARE = 0.25  # of the texture in the form of a cloud's edge
HAZE_LEVEL = (0.7, 1.5)  # threshold of the noise, in its standard deviations: how much of the lung is hazy
EDGE_STEEPNESS = 4.0  # a cloud rises to its full density over a quarter of a standard deviation of the noise
HAZE_RISE_HU = (150.0, 450.0)
TEXTURE_HU = 45.0
FADES_FROM_HU, FADES_TO_HU = -515.0, -20.0  # haze changes what is brighter than this less, and then not at all
LABELLED_DENSITY = 0.4  # a reader would mark a cloud from this share of its density on

Changed = tuple[torch.Tensor, torch.Tensor]


def paste_lesions(
    hu: torch.Tensor, targets: torch.Tensor, inside: torch.Tensor, *, share: float, generator: torch.Generator
) -> Changed:
    """Lay the findings of another patch of the batch into the lungs of this one, mirrored half of the time.

    A hazy lesion is added to what lies under it; a dense one replaces air. The label is the source's, except where this
    patch has a finding of its own or is ignored."""
    batch = hu.shape[0]
    source = torch.randperm(batch, generator=generator)
    rise = (hu[source] - AERATED_HU).clamp(0, MOST_RISE_HU) * _between(*PASTED_RISE, hu, generator)
    label = targets[source]
    mirrored = _chosen(hu, 0.5, generator)
    rise = torch.where(mirrored, rise.flip(-1), rise)
    label = torch.where(mirrored[:, 0], label.flip(-1), label)
    laid = _is_finding(label).unsqueeze(1) & inside & _chosen(hu, share, generator)
    is_hazy = rise < HAZY_RISE_HU
    replaced = torch.maximum(hu, AERATED_HU + rise)
    added = torch.where(is_hazy, (hu + SEE_THROUGH * rise).clamp(max=SOFT_HU), replaced)
    changed = torch.where(laid & (hu < NOT_AIR_HU), torch.maximum(replaced, added), hu)
    return changed, torch.where(laid[:, 0] & (targets == 0), label, targets)


def lay_haze(
    hu: torch.Tensor,
    targets: torch.Tensor,
    inside: torch.Tensor,
    spacing_mm_yx: tuple[float, float],
    *,
    share: float,
    generator: torch.Generator,
) -> Changed:
    """Lay clouds of ground glass into the lungs: smooth noise above a threshold, 150 … 450 HU over what lies under it.

    It needs no mask. A cloud is a finding without a class (`UNNAMED`) where it is dense enough to be seen."""
    clouds = _smooth_noise(hu, HAZE_CELL_MM, spacing_mm_yx, generator)
    texture = _smooth_noise(hu, TEXTURE_CELL_MM, spacing_mm_yx, generator)
    level = _between(*HAZE_LEVEL, hu, generator)
    density = ((clouds + TEXTURE_SHARE * texture - level) * EDGE_STEEPNESS).clamp(0, 1)
    density = density * inside * _chosen(hu, share, generator)
    rise = _between(*HAZE_RISE_HU, hu, generator) + TEXTURE_HU * texture
    fading = ((FADES_TO_HU - hu) / (FADES_TO_HU - FADES_FROM_HU)).clamp(0, 1)
    seen = (density[:, 0] > LABELLED_DENSITY) & (targets == 0)
    return hu + density * rise.clamp(min=0) * fading, torch.where(seen, UNNAMED, targets)


def _is_finding(targets: torch.Tensor) -> torch.Tensor:
    return (targets != 0) & (targets != IGNORED)


def _chosen(like: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    return (torch.rand(like.shape[0], generator=generator) < share).view(-1, *[1] * (like.dim() - 1))


def _between(low: float, high: float, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    values = low + (high - low) * torch.rand(like.shape[0], generator=generator)
    return values.view(-1, *[1] * (like.dim() - 1))


def _smooth_noise(
    like: torch.Tensor, cell_mm: float, spacing_mm_yx: tuple[float, float], generator: torch.Generator
) -> torch.Tensor:
    """Normal noise on a grid of cells of about `cell_mm` (three by three at least), interpolated to the patch."""
    size = like.shape[2:]
    cells = [max(3, int(n * mm / cell_mm)) for n, mm in zip(size, spacing_mm_yx, strict=True)]
    noise = torch.randn((like.shape[0], 1, *cells), generator=generator)
    return functional.interpolate(noise, size=size, mode="bilinear", align_corners=False)
