#!/usr/bin/env bash
# plastimatch 1.10.0 leaves an acquired slice out when it converts a CT series with two slice distances.
#
# Input: nine CT slices of one series, at 0, 5, 10, 15, 20, 25, 27.5, 30 and 32.5 mm (finer at one end, as some
# protocols scan). Each slice has one value of its own, 0 to 80 in steps of 10; the slice at 27.5 mm has 60.
# Expected: an even grid on which every slice is found again (2.5 mm does that here), or a refusal.
# Seen: plastimatch takes the distance of the longest even run, 5 mm, for the whole scan and puts on each place the
# nearest slice, without interpolating. The slice at 27.5 mm is in no voxel of the result, so what was seen there alone
# is gone, and the slice of 32.5 mm is put at 35 mm. With the fine part as the longer run it is the other way round:
# slices are repeated. It prints that distances are unequal, not that it drops or repeats a slice, and ends with 0.
# dcm2niix 1.0.20260724 keeps all nine: on an even grid of 2.5 mm with interpolated ones between.
# Exits 0 while this is so, 1 when it changed.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check \
  pydicom==3.0.2 numpy==2.2.6 plastimatch==1.10.0 pynrrd==1.1.3 dcm2niix==1.0.20260724 nibabel==5.4.2
cat > probe.py <<'PY'
import subprocess
import sys
from pathlib import Path

import nibabel
import nrrd
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


def write_series(folder, places_mm):
    uids = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
    Path(folder).mkdir()
    for k, z in enumerate(places_mm):
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
        image.Rows, image.Columns, image.PixelSpacing, image.SliceThickness = 16, 12, [0.8, 0.7], 2.5
        image.ImageOrientationPatient, image.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-10, -20, z]
        image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 1
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
        image.RescaleIntercept, image.RescaleSlope = 0, 1
        image.PixelData = np.full((16, 12), 10 * k, "<i2").tobytes()
        image.save_as(f"{folder}/{k}.dcm", enforce_file_format=True)


def by_plastimatch(folder):
    done = subprocess.run(
        ["venv/bin/plastimatch", "convert", "--input", folder, "--output-img", f"{folder}.nrrd"],
        capture_output=True, text=True,
    )
    voxels, header = nrrd.read(f"{folder}.nrrd")
    step = float(np.linalg.norm(header["space directions"][2]))
    warned = [line for line in (done.stdout + done.stderr).splitlines() if "arning" in line]
    return done.returncode, step, [round(float(v)) for v in voxels[0, 0]], warned


coarse_first = [0, 5, 10, 15, 20, 25, 27.5, 30, 32.5]
fine_first = [0, 2.5, 5, 7.5, 10, 12.5, 17.5, 22.5, 27.5]
write_series("coarse", coarse_first)
write_series("fine", fine_first)
seen = {}
print("plastimatch 1.10.0, dcm2niix 1.0.20260724; slices have the values 0, 10 … 80")
for folder, places in (("coarse", coarse_first), ("fine", fine_first)):
    code, step, values, warned = seen[folder] = by_plastimatch(folder)
    print(f"slices at {places} mm: plastimatch exit {code}, {step} mm, values {values}, says {warned}")
subprocess.run(["venv/bin/dcm2niix", "-o", ".", "-f", "by_dcm2niix", "coarse"], check=True, capture_output=True)
even = nibabel.load("by_dcm2niix_Eq_1.nii")
kept = [round(float(v)) for v in np.asarray(even.dataobj)[0, 0]]
print(f"the first series by dcm2niix: {float(even.header.get_zooms()[2])} mm, values {kept}")
is_as_described = (
    seen["coarse"][:3] == (0, 5.0, [0, 10, 20, 30, 40, 50, 70, 80])
    and seen["fine"][:3] == (0, 2.5, [0, 10, 20, 30, 40, 50, 50, 60, 60, 70, 70, 80])
    and all(len(one[3]) == 1 and "slice spacing" in one[3][0] for one in seen.values())
    and set(range(0, 90, 10)) <= set(kept)
)
if not is_as_described:
    sys.exit("changed: a series with two slice distances is put on a grid in another way now")
print("as described: the slice with the value 60 is in no voxel of plastimatch's first volume")
PY
venv/bin/python probe.py
