"""The region-growing brush, the plain brushes, and the lung limit that confines region growing."""

from voxloop.volume.growing.grow import Grown, GrowParams, grow
from voxloop.volume.growing.lung_limit import NORMAL_LUNG_HU, lung_limit
from voxloop.volume.growing.plain import Painted, erase, paint

__all__ = ["NORMAL_LUNG_HU", "GrowParams", "Grown", "Painted", "erase", "grow", "lung_limit", "paint"]
