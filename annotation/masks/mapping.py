"""Which segment of ours each label of a mask from elsewhere becomes."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from annotation.masks.foreign.found import ForeignLabel
from annotation.work.schema import Layer
from voxloop.kernel.errors import Invalid
from voxloop.volume.labelmap.chunks import Labels

LEFT_OUT = ""
# Number of a label (its place in the file, from 1) -> key of a segment, or LEFT_OUT.
Mapped = Mapping[int, str]


def suggest(labels: Sequence[ForeignLabel], layer: Layer) -> dict[int, str]:
    """A guess for each label: the segment of its name or key, then the one whose id is the value of a label without a
    name, then the only segment for the only label; else LEFT_OUT."""
    named = {_plain(word): segment.key for segment in layer.segments for word in (segment.key, segment.name)}
    ids = {str(segment.id): segment.key for segment in layer.segments}
    guess = {
        n: named.get(_plain(label.name)) or ids.get(label.name) or LEFT_OUT for n, label in enumerate(labels, start=1)
    }
    if len(labels) == len(layer.segments) == 1:
        guess[1] = layer.segments[0].key
    return guess


def parse_map(pairs: Iterable[str], labels: Sequence[ForeignLabel], layer: Layer) -> dict[int, str]:
    """The mapping of `their=ours` pairs: `their` is a name or value in the file, `ours` a key of the layer, or nothing
    to leave the label out. Every label with voxels is told. Raises Invalid (`bad_map`, `unmapped_labels`)."""
    mapped: dict[int, str] = {}
    for pair in pairs:
        theirs, sign, ours = (part.strip() for part in pair.rpartition("="))
        if not sign:
            raise Invalid(f"“{pair}” is not of the form their=ours.", code="bad_map")
        by_name = [n for n, one in enumerate(labels, start=1) if one.name == theirs]
        found = by_name or [n for n, one in enumerate(labels, start=1) if str(one.value) == theirs]
        if len(found) != 1:
            many = "several labels" if found else "no label"
            raise Invalid(f"The file has {many} {theirs!r}; it has {_told(labels)}.", code="bad_map")
        mapped[found[0]] = ours
    check_map(mapped, labels, layer)
    return mapped


def check_map(mapped: Mapped, labels: Sequence[ForeignLabel], layer: Layer) -> None:
    """Raise Invalid unless every label with voxels becomes a segment of the layer or is left out (`unmapped_labels`,
    `bad_map`)."""
    keys = {segment.key for segment in layer.segments}
    if unknown := sorted(set(mapped.values()) - keys - {LEFT_OUT}):
        raise Invalid(
            f"Layer {layer.name} has no segment {unknown[0]!r}; it has {', '.join(sorted(keys))}.", code="bad_map"
        )
    open_ones = [one for n, one in enumerate(labels, start=1) if one.voxels and n not in mapped]
    if open_ones:
        raise Invalid(
            f"Say what becomes of {_told(open_ones)}: a segment of layer {layer.name} ({', '.join(sorted(keys))}), or "
            "nothing to leave it out.",
            code="unmapped_labels",
        )


def apply_map(layers: Sequence[Labels], mapped: Mapped, layer: Layer, shape_zyx: tuple[int, ...]) -> Labels:
    """The labelmap (uint8, zyx) of our segments. Raises Invalid (`segments_overlap`, `empty_mask`)."""
    ids = {segment.key: segment.id for segment in layer.segments}
    to = np.zeros(256, np.uint8)
    for number, key in mapped.items():
        to[number] = ids[key] if key != LEFT_OUT else 0
    result = np.zeros(shape_zyx, np.uint8)
    shared = 0
    for each in layers:
        for out, plane in zip(result, each, strict=True):
            ours = to[plane]
            shared += int(np.count_nonzero((out != 0) & (ours != 0) & (out != ours)))
            out[...] = np.where(ours != 0, ours, out)
    if shared:
        voxels = f"{shared:,} {'voxel' if shared == 1 else 'voxels'}"
        raise Invalid(
            f"{voxels} would belong to two segments; a mask has one for each voxel: leave out one of the "
            "labels that overlap, or map both to the same segment.",
            code="segments_overlap",
        )
    if not result.any():
        raise Invalid("No voxel of the file would be taken; nothing was stored.", code="empty_mask")
    return result


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()


def _told(labels: Sequence[ForeignLabel]) -> str:
    return ", ".join(f"{one.name!r} (value {one.value}, {one.voxels:,} voxels)" for one in labels[:8]) or "none"
