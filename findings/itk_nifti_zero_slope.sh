#!/usr/bin/env bash
# SimpleITK 2.5.7 adds scl_inter to the voxels of a NIfTI file whose scl_slope is 0.
#
# Input: a label map (uint8) with the labels 0, 1 and 2 as a NIfTI-1 file with scl_slope 0 and scl_inter 5. The standard
# scales only where scl_slope is not zero, so the intercept has no meaning here and the labels are 0, 1 and 2.
# Expected: 0, 1, 2 as uint8, as nibabel 5.4.2 reads them.
# Seen: SimpleITK returns 5, 6 and 7 as 32-bit float: the background is a label, all labels are others, and the image is
# no longer of whole numbers. With scl_slope 0 and scl_inter 0 it returns 0, 1, 2 as uint8, so it does know that a slope
# of 0 is not to be multiplied with. Nothing is printed, and writing the image again makes the shift permanent.
# Exits 0 while this is so, 1 when it changed.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check nibabel==5.4.2 numpy==2.2.6 SimpleITK==2.5.7
cat > probe.py <<'PY'
import struct
import sys
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK

labels = np.zeros((4, 4, 4), np.uint8)
labels[1, 1, 1], labels[2, 2, 2] = 1, 2
nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), "labels.nii")
plain = Path("labels.nii").read_bytes()


def read(slope, intercept):
    """What both readers find in the file with these two fields (bytes 112 and 116 of the header)."""
    data = bytearray(plain)
    struct.pack_into("<ff", data, 112, slope, intercept)
    Path("scaled.nii").write_bytes(data)
    image = SimpleITK.ReadImage("scaled.nii")
    by_itk = [float(v) for v in np.unique(SimpleITK.GetArrayFromImage(image))]
    by_nibabel = [float(v) for v in np.unique(np.asarray(nibabel.load("scaled.nii").dataobj))]
    print(f"scl_slope {slope}, scl_inter {intercept}: nibabel {by_nibabel}, "
          f"SimpleITK {by_itk} as {image.GetPixelIDTypeAsString()}")
    SimpleITK.WriteImage(image, "again.nii")
    again = np.asarray(nibabel.load("again.nii").dataobj)
    return by_nibabel, by_itk, image.GetPixelIDTypeAsString(), float(again.min())


print(f"nibabel {nibabel.__version__}, SimpleITK {SimpleITK.__version__}; the labels are 0, 1, 2")
seen = [read(0.0, 0.0), read(0.0, 5.0)]
expected = [
    ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], "8-bit unsigned integer", 0.0),
    ([0.0, 1.0, 2.0], [5.0, 6.0, 7.0], "32-bit float", 5.0),
]
if seen != expected:
    sys.exit("changed: an intercept beside a slope of zero is treated in another way now")
print("as described: SimpleITK shifts the labels by an intercept that the standard leaves out")
PY
venv/bin/python probe.py
