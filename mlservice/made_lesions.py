"""More lesions from few masks: lesions of other patches, haze and consolidation made from noise.

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

# A consolidation: an ellipse with a rough edge, as dense as soft tissue, in half of the patches with a hazy rim.
CONSOLIDATED_HU = (-10.0, 60.0)
CONSOLIDATED_RADIUS_MM = (10.0, 45.0)
ROUGH_CELL_MM, ROUGHNESS = 20.0, 0.15  # size of the bumps of its edge, and their height as a share of the radius
EDGE_SHARE = 0.12  # of the radius: over so much its density falls to nothing
RIM_REACH = (1.15, 1.6)  # how far the rim goes, in radii
BRONCHUS_HU = -940.0  # air in a bronchus stays air
# A dense part at the pleura looks like the chest wall, so that a lung limit found by air leaves it out.
LIMIT_LOST_SHARE = 0.7

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


def lay_consolidation(
    hu: torch.Tensor,
    targets: torch.Tensor,
    limit: torch.Tensor,
    inside: torch.Tensor,
    spacing_mm_yx: tuple[float, float],
    *,
    share: float,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Lay one dense region into the lungs, -10 … 60 HU, with radii of 10 … 45 mm round any voxel of them, and return
    the `limit` (batch, 1, y, x; 0 … 1) too: it is lost under most of them.

    It needs no mask: a finding without a class (`UNNAMED`)."""
    batch, size = hu.shape[0], hu.shape[2:]
    reach = _ellipses(inside, spacing_mm_yx, generator)
    reach = reach + ROUGHNESS * _smooth_noise(hu, ROUGH_CELL_MM, spacing_mm_yx, generator)
    laid = inside & _chosen(hu, share, generator)
    dense = ((1 - reach) / EDGE_SHARE + 0.5).clamp(0, 1) * laid
    rim = ((_between(*RIM_REACH, hu, generator) - reach) / EDGE_SHARE).clamp(0, 1) * laid * _chosen(hu, 0.5, generator)
    fading = ((FADES_TO_HU - hu) / (FADES_TO_HU - FADES_FROM_HU)).clamp(0, 1)
    changed = hu + rim * _between(*HAZE_RISE_HU, hu, generator) * fading
    grain = TEXTURE_HU / 3 * torch.randn((batch, 1, *size), generator=generator)
    rise = (_between(*CONSOLIDATED_HU, hu, generator) + grain - changed).clamp(min=0)
    changed = changed + dense * torch.where(hu < BRONCHUS_HU, 0, rise)
    seen = (torch.maximum(dense, rim)[:, 0] > LABELLED_DENSITY) & (targets == 0)
    lost = (dense > 0.5) & _chosen(hu, LIMIT_LOST_SHARE, generator)
    return changed, torch.where(seen, UNNAMED, targets), torch.where(lost, 0, limit)


def _ellipses(inside: torch.Tensor, spacing_mm_yx: tuple[float, float], generator: torch.Generator) -> torch.Tensor:
    """The distance from a voxel of each patch's lungs, in radii of an ellipse: 1 on its edge (batch, 1, y, x)."""
    batch, _, height, width = inside.shape
    # A patch without lungs has no place for it: any voxel will do, nothing is laid there.
    weights = inside.reshape(batch, -1).float() + 1e-6
    centre = torch.multinomial(weights, 1, generator=generator).view(-1, 1, 1)
    y, x = torch.arange(height).view(1, -1, 1), torch.arange(width).view(1, 1, -1)
    low, high = CONSOLIDATED_RADIUS_MM
    radii = low + (high - low) * torch.rand(batch, 2, generator=generator)
    down = (y - centre.div(width, rounding_mode="floor")) * spacing_mm_yx[0] / radii[:, :1, None]
    across = (x - centre % width) * spacing_mm_yx[1] / radii[:, 1:, None]
    return (down.square() + across.square()).sqrt().unsqueeze(1)


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
