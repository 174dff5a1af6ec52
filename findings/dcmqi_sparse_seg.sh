#!/usr/bin/env bash
# dcmqi 1.5.7 lays the frames of a sparse DICOM SEG on a grid of SliceThickness, so that frames fall on each other;
# SimpleITK 2.5.7 returns the same file with voxels of 1 x 1 x 1 mm.
#
# Input: a CT with overlapping slices (5 mm thick, every 2.5 mm: an everyday reconstruction) and a binary SEG of four of
# them, at 0, 2.5, 5 and 10 mm. Each frame states its place; SpacingBetweenSlices is absent, which the standard allows
# and which highdicom 0.28.2 does where the frames it is given are not evenly spaced. PixelSpacing is 0.8 x 0.7 mm.
# Expected: frames at their places, as highdicom reads them (five slices 2.5 mm apart, one of them empty), or a refusal.
# Seen:
#   - dcmqi reports that it found a slice spacing of 2.5 mm, then that it uses the thickness instead, and rounds each
#     place to a multiple of 5 mm: four frames become three slices, two of them merged (a union), so 68 marked voxels
#     become 53. Nothing tells of the merge, and it ends with 0.
#   - SimpleITK keeps the four frames but drops the pixel spacing with the slice spacing: (1, 1, 1) mm, though
#     PixelSpacing is the same for all and stands in the shared group.
# Three readers, three volumes of one mask, and no error.
# Exits 0 while this is so, 1 when it changed.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check \
  highdicom==0.28.2 pydicom==3.0.2 numpy==2.2.6 dcmqi==1.5.7 pynrrd==1.1.3 SimpleITK==2.5.7
cat > probe.py <<'PY'
import subprocess
import sys
import warnings
from pathlib import Path

import highdicom
import nrrd
import numpy as np
import SimpleITK
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentDescription, segread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, generate_uid

warnings.simplefilter("ignore")
PLACES_MM = (0.0, 2.5, 5.0, 10.0)
uids = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
images = []
for number, z in enumerate(PLACES_MM, start=1):
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, generate_uid()
    for keyword, value in uids.items():
        setattr(image, keyword, value)
    for empty in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
                  "AccessionNumber", "ReferringPhysicianName", "PositionReferenceIndicator"):
        setattr(image, empty, "")
    image.Modality, image.InstanceNumber = "CT", number
    image.Rows, image.Columns, image.PixelSpacing, image.SliceThickness = 16, 12, [0.8, 0.7], 5
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.ImagePositionPatient = [-10, -20, 30 + z]
    images.append(image)

mask = np.zeros((4, 16, 12), np.uint8)
mask[:, 3:6, 4:9] = 1  # 15 pixels in each
mask[1, 12:14, 2:6] = 1  # and 8 more in one
document = Segmentation(
    source_images=images, pixel_array=mask, segmentation_type="BINARY",
    segment_descriptions=[SegmentDescription(
        1, "mass", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Mass, SegmentAlgorithmTypeValues.MANUAL
    )],
    series_instance_uid=generate_uid(), series_number=2, sop_instance_uid=generate_uid(), instance_number=1,
    manufacturer="none", manufacturer_model_name="none", software_versions="1", device_serial_number="1",
)
document.save_as("seg.dcm")
measures = document.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
has_spacing = "SpacingBetweenSlices" in measures

volume = segread("seg.dcm").get_volume()
by_highdicom = (volume.array.shape[0], int(volume.array.sum()), tuple(round(s, 3) for s in volume.spacing[::-1]))

Path("out").mkdir()
done = subprocess.run(
    ["venv/bin/segimage2itkimage", "--inputDICOM", "seg.dcm", "--outputDirectory", "out", "-t", "nrrd"],
    capture_output=True, text=True,
)
voxels, header = nrrd.read("out/1.nrrd")
steps = np.linalg.norm(np.asarray(header["space directions"], float), axis=1)
by_dcmqi = (voxels.shape[2], int((voxels > 0).sum()), tuple(round(float(s), 3) for s in steps))
found_step = "Slice spacing: 2.5" in done.stdout
uses_thickness = "SliceThickness is present" in done.stdout + done.stderr

read = SimpleITK.ReadImage("seg.dcm")
marked = int((SimpleITK.GetArrayFromImage(read) > 0).sum())
by_sitk = (read.GetSize()[2], marked, tuple(round(s, 3) for s in read.GetSpacing()))

print(f"highdicom {highdicom.__version__}, dcmqi 1.5.7, SimpleITK {SimpleITK.__version__}")
print(f"written: {len(mask)} frames, {int(mask.sum())} marked voxels, SpacingBetweenSlices stated: {has_spacing}")
for name, (slices, count, spacing) in (("highdicom", by_highdicom), ("dcmqi", by_dcmqi), ("SimpleITK", by_sitk)):
    print(f"{name}: {slices} slices, {count} marked voxels, spacing {spacing} mm, "
          f"volume {count * float(np.prod(spacing)):.1f} mm3")
print(f"dcmqi: exit {done.returncode}; reports the true spacing: {found_step}; uses the thickness: {uses_thickness}")
expected = (
    False, (5, 68, (0.7, 0.8, 2.5)), (3, 53, (0.7, 0.8, 5.0)), (4, 68, (1.0, 1.0, 1.0)), 0, True, True,
)
if (
    has_spacing, by_highdicom, by_dcmqi, by_sitk, done.returncode, found_step, uses_thickness
) != expected:
    sys.exit("changed: a reader places or scales the frames of a sparse SEG in another way now")
print("as described: dcmqi merged two frames, SimpleITK lost the spacing, and both ended well")
PY
venv/bin/python probe.py
