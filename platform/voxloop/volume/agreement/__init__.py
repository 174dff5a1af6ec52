"""Agreement of readers, or of a reader and a model: on masks, on answers, on measured quantities, and what all say."""

from voxloop.volume.agreement.answers import cohen_kappa, fleiss_kappa, krippendorff_alpha
from voxloop.volume.agreement.consensus import Consensus, majority, staple, staple_labels
from voxloop.volume.agreement.masks import Agreement, LesionMatch, agree, dice, match_lesions
from voxloop.volume.agreement.measures import BlandAltman, Interval, bland_altman, icc_a1, icc_c1, share_of
from voxloop.volume.agreement.style import border_offset_mm, hu_range
from voxloop.volume.agreement.surfaces import TOLERANCE_MM, SurfaceDistances, measure_surfaces

__all__ = [
    "TOLERANCE_MM",
    "Agreement",
    "BlandAltman",
    "Consensus",
    "Interval",
    "LesionMatch",
    "SurfaceDistances",
    "agree",
    "bland_altman",
    "border_offset_mm",
    "cohen_kappa",
    "dice",
    "fleiss_kappa",
    "hu_range",
    "icc_a1",
    "icc_c1",
    "krippendorff_alpha",
    "majority",
    "match_lesions",
    "measure_surfaces",
    "share_of",
    "staple",
    "staple_labels",
]
