#!/usr/bin/env bash
# SimpleITK 2.5.7 takes the origin of an NRRD file from its axis bounds and the spacing not: voxels become 1 x 1 x 1 mm.
#
# Input: an NRRD file of 2 x 3 x 4 voxels whose geometry is given by `axis mins`, `axis maxs` and `centerings`, the form
# that the format had before `space directions` and still has: bounds 0 to 2, 0 to 6 and 0 to 12 of cells, so voxels
# measure 1 x 2 x 3. The same again with nodes, where the bounds are the centres of the outermost voxels.
# Expected: spacing (1, 2, 3), or that all of the bounds are ignored.
# Seen: the origin is right and needs the true spacing: (0.5, 1, 1.5) for cells, half a voxel inside the bounds, and the
# lower bounds themselves for nodes. The spacing is (1, 1, 1) in both. So the first voxel lies where it should and every
# other one does not, and a mask measures a sixth of its volume. With `spacings` beside the bounds all is right.
# Exits 0 while this is so, 1 when it changed.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check SimpleITK==2.5.7
cat > probe.py <<'PY'
import sys
from pathlib import Path

import SimpleITK

FORMS = {
    "cells, bounds alone": ("axis mins: 0 0 0", "axis maxs: 2 6 12", "centerings: cell cell cell"),
    "nodes, bounds alone": ("axis mins: 10 20 30", "axis maxs: 11 24 39", "centerings: node node node"),
    "cells, bounds and spacings": (
        "spacings: 1 2 3", "axis mins: 0 0 0", "axis maxs: 2 6 12", "centerings: cell cell cell",
    ),
}
print(f"SimpleITK {SimpleITK.__version__}; the voxels measure 1 x 2 x 3")
seen = []
for name, fields in FORMS.items():
    header = ("NRRD0004", "type: uint8", "dimension: 3", "sizes: 2 3 4", *fields, "encoding: raw", "", "")
    Path("image.nrrd").write_bytes("\n".join(header).encode("ascii") + bytes(range(24)))
    image = SimpleITK.ReadImage("image.nrrd")
    print(f"{name}: spacing {image.GetSpacing()}, origin {image.GetOrigin()}")
    seen.append((image.GetSpacing(), image.GetOrigin()))
expected = [
    ((1.0, 1.0, 1.0), (0.5, 1.0, 1.5)),
    ((1.0, 1.0, 1.0), (10.0, 20.0, 30.0)),
    ((1.0, 2.0, 3.0), (0.5, 1.0, 1.5)),
]
if seen != expected:
    sys.exit("changed: the bounds of the axes are read in another way now")
print("as described: the bounds give the origin but not the spacing")
PY
venv/bin/python probe.py
