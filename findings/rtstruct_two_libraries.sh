#!/usr/bin/env bash
# rt-utils 1.2.7 and plastimatch 1.10.0 each return a mask unchanged from their own RTSTRUCT, and change the other's.
#
# Input: a CT of six slices with 1 x 1 mm pixels and a mask: one pixel, a 5 x 5 and a 3 x 3 square, a line of 7 pixels,
# two 3 x 3 squares that touch at a corner, and the 5 x 5 square again, 15 pixels further on. No holes, nothing at the
# border.
# Expected: contours are in millimetres, so a file means the same to both, up to rounding at the edge.
# Seen (pixels of a slice):
#   - rt-utils draws through the centres of the outermost pixels, plastimatch half way to the next pixel. Each of them
#     fills in the way that undoes its own drawing, so a round trip within one library proves nothing.
#   - rt-utils to plastimatch: 25 becomes 16, 9 becomes 4; the single pixel and the line vanish altogether (their
#     contours have one and two points, without area).
#   - plastimatch to rt-utils: 9 becomes 21, the line of 7 becomes 23. The 5 x 5 square becomes 45 in one place
#     and stays 25 in the other: rt-utils rounds points at half a pixel to the even neighbour, so the same lesion grows
#     or not by where it lies.
# Every step ends without an error.
# Exits 0 while this is so, 1 when it changed.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check \
  pydicom==3.0.2 numpy==2.2.6 opencv-python-headless==5.0.0.93 plastimatch==1.10.0 pynrrd==1.1.3
# Without its own dependencies: rt-utils asks for the OpenCV that needs a desktop's libraries.
venv/bin/pip install -qq --disable-pip-version-check --no-deps rt-utils==1.2.7
cat > probe.py <<'PY'
import contextlib
import io
import subprocess
import sys
import warnings
from pathlib import Path

import nrrd
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from rt_utils import RTStructBuilder

warnings.simplefilter("ignore")
NAMES = ("one pixel", "5 x 5", "3 x 3", "line of 7", "two 3 x 3 by a corner", "5 x 5 moved by 15")
mask = np.zeros((6, 32, 32), np.uint8)
mask[0, 20, 20] = 1
mask[1, 5:10, 5:10] = 1
mask[2, 5:8, 5:8] = 1
mask[3, 5, 5:12] = 1
mask[4, 8:11, 8:11] = mask[4, 11:14, 11:14] = 1
mask[5, 20:25, 20:25] = 1
uids = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
Path("ct").mkdir()
for k in range(6):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = CTImageStorage
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for keyword, value in uids.items():
        setattr(image, keyword, value)
    for empty in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
                  "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator"):
        setattr(image, empty, "")
    image.Modality, image.SeriesNumber, image.InstanceNumber = "CT", 1, k + 1
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.Rows = image.Columns = 32
    image.PixelSpacing, image.SliceThickness = [1, 1], 2
    image.ImageOrientationPatient, image.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 2 * k]
    image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 1
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
    image.RescaleIntercept, image.RescaleSlope = 0, 1
    image.PixelData = np.zeros((32, 32), "<i2").tobytes()
    image.save_as(f"ct/{k}.dcm", enforce_file_format=True)


def plastimatch(*words):
    subprocess.run(["venv/bin/plastimatch", "convert", *words], check=True, capture_output=True)


def per_slice(voxels_zyx):
    return [int(np.count_nonzero(one)) for one in voxels_zyx]


def read_by_rt_utils(path):
    structures = RTStructBuilder.create_from(dicom_series_path="ct", rt_struct_path=str(path))
    (name,) = structures.get_roi_names()
    return per_slice(np.moveaxis(structures.get_roi_mask_by_name(name), 2, 0))


def read_by_plastimatch(path):
    plastimatch("--input", str(path), "--referenced-ct", "ct", "--output-labelmap", "back.nrrd")
    voxels, _ = nrrd.read("back.nrrd")
    return per_slice(voxels.transpose(2, 1, 0))


with contextlib.redirect_stdout(io.StringIO()):
    structures = RTStructBuilder.create_new(dicom_series_path="ct")
    structures.add_roi(mask=np.moveaxis(mask, 0, 2).astype(bool), name="lesion")
    structures.save("by_rt_utils.dcm")
nrrd.write("mask.nrrd", mask.transpose(2, 1, 0), {
    "space": "left-posterior-superior", "space directions": np.diag([1.0, 1.0, 2.0]), "space origin": [0.0, 0.0, 0.0],
    "kinds": ["domain"] * 3,
})
plastimatch("--input-ss-img", "mask.nrrd", "--referenced-ct", "ct", "--output-dicom", "out")
(by_plastimatch,) = (p for p in Path("out").iterdir() if pydicom.dcmread(p).Modality == "RTSTRUCT")

print("rt-utils 1.2.7, plastimatch 1.10.0; pixels in each slice:", ", ".join(NAMES))
written = per_slice(mask)
seen = {
    "rt-utils to rt-utils": read_by_rt_utils("by_rt_utils.dcm"),
    "plastimatch to plastimatch": read_by_plastimatch(by_plastimatch),
    "rt-utils to plastimatch": read_by_plastimatch("by_rt_utils.dcm"),
    "plastimatch to rt-utils": read_by_rt_utils(by_plastimatch),
}
print("mask:", written)
for way, counts in seen.items():
    print(f"{way}:", counts)
expected = [written, written, [0, 16, 4, 0, 8, 16], [1, 45, 21, 23, 30, 25]]
if list(seen.values()) != expected:
    sys.exit("changed: one of the two draws or fills contours in another way now")
print("as described: each is exact with itself, and masks shrink one way and grow, by place, the other")
PY
venv/bin/python probe.py
