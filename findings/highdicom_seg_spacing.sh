#!/usr/bin/env bash
# highdicom 0.28.2 writes a distance between slices that no source image states, and dcmqi 1.5.7 measures with it.
#
# Input: slices of a CT, 2.5 mm apart, thickness 2.5 mm, without SpacingBetweenSlices (as CT usually is), and a binary
# segmentation of the slices that carry a mask. Leaving the empty slices out is valid: a SEG may refer to a part of a
# series.
# Expected: SpacingBetweenSlices is 2.5 (the thickness) or is left out where it cannot be known.
# Seen:
#   - One slice handed over: the file says SpacingBetweenSlices 1.0 beside SliceThickness 2.5. The 1.0 is a stand-in of
#     highdicom for a single image; nothing in the scan says it. dcmqi makes voxels 1.0 mm thick: 8.4, not 21 mm3.
#   - Two slices handed over that are three places apart: the file says 7.5. dcmqi returns two neighbouring slices of
#     7.5 mm: 126 instead of 42 mm3.
#   - The whole series handed over, with highdicom itself leaving out the empty frames: 2.5, and both volumes are right.
# So it is the caller's own trimming of empty slices, not highdicom's, that changes the volume of a mask.
# Exits 0 while this is so, 1 when it changed.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check \
  highdicom==0.28.2 pydicom==3.0.2 numpy==2.2.6 dcmqi==1.5.7 pynrrd==1.1.3
cat > probe.py <<'PY'
import subprocess
import sys
import warnings
from pathlib import Path

import highdicom
import nrrd
import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentDescription
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, generate_uid

warnings.simplefilter("ignore")
STEP_MM, PIXEL_MM = 2.5, (0.8, 0.7)
study, series, frame = generate_uid(), generate_uid(), generate_uid()


def slice_of_ct(k):
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, generate_uid()
    image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame
    for empty in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
                  "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator"):
        setattr(image, empty, "")
    image.Modality, image.InstanceNumber = "CT", k + 1
    image.Rows, image.Columns, image.PixelSpacing = 16, 12, list(PIXEL_MM)
    image.SliceThickness = STEP_MM
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.ImagePositionPatient = [-10, -20, 30 + STEP_MM * k]
    return image


scan = [slice_of_ct(k) for k in range(10)]


def measure(filled, handed_over):
    """SpacingBetweenSlices in the file, and the volume of the mask after dcmqi."""
    mask = np.zeros((10, 16, 12), np.uint8)
    mask[filled, 3:6, 4:9] = 1  # 15 pixels in each
    described = SegmentDescription(
        1, "mass", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Mass, SegmentAlgorithmTypeValues.MANUAL
    )
    document = Segmentation(
        source_images=[scan[k] for k in handed_over], pixel_array=mask[handed_over], segmentation_type="BINARY",
        segment_descriptions=[described], series_instance_uid=generate_uid(), series_number=2,
        sop_instance_uid=generate_uid(), instance_number=1, manufacturer="none", manufacturer_model_name="none",
        software_versions="1", device_serial_number="1",
    )
    document.save_as("seg.dcm")
    measures = document.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    Path("out").mkdir(exist_ok=True)
    subprocess.run(
        ["venv/bin/segimage2itkimage", "--inputDICOM", "seg.dcm", "--outputDirectory", "out", "-t", "nrrd"],
        check=True, capture_output=True,
    )
    voxels, header = nrrd.read("out/1.nrrd")
    voxel_mm3 = abs(np.linalg.det(np.asarray(header["space directions"], float)))
    return float(measures.SpacingBetweenSlices), round(int((voxels > 0).sum()) * voxel_mm3, 1)


def volume(slices):
    return round(15 * PIXEL_MM[0] * PIXEL_MM[1] * STEP_MM * slices, 1)


print(f"highdicom {highdicom.__version__}, dcmqi 1.5.7; slices are 2.5 mm apart and 2.5 mm thick")
seen = {}
for name, filled, handed_over in (
    ("one slice handed over", [4], [4]),
    ("two slices, three places apart", [2, 5], [2, 5]),
    ("one slice, whole series handed over", [4], list(range(10))),
    ("two slices, whole series handed over", [2, 5], list(range(10))),
):
    seen[name] = spacing, mm3 = measure(filled, handed_over)
    print(f"{name}: SpacingBetweenSlices {spacing}, mask by dcmqi {mm3} mm3, true {volume(len(filled))} mm3")
expected = [(1.0, 8.4), (7.5, 126.0), (2.5, 21.0), (2.5, 42.0)]
if list(seen.values()) != expected:
    sys.exit("changed: the spacing written for part of a series is another one now")
print("as described: the spacing in the file follows from the slices handed over, and the mask's volume with it")
PY
venv/bin/python probe.py
