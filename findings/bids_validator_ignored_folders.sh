#!/usr/bin/env bash
# bids-validator 3.0.2: a line of .bidsignore that ends with a slash ignores nothing, and a derivative's own .bidsignore
# is not read when the validator comes to it from the dataset above (--recursive).
#
# Input: a valid BIDS dataset of one subject with an MR image, a folder of another modality that BIDS has no names for
# yet (sub-1/ct), and a derivative below it (derivatives/one) with such a folder. The specification says of .bidsignore
# that it follows the form of .gitignore, where "name/" means a folder of that name at any depth, with all in it.
# Expected: "ct/" and "**/ct/" ignore sub-1/ct as "**/ct" does; the derivative is judged with its own .bidsignore,
# however it is reached.
# Seen:
#   - "**/ct": no error. "**/ct/" and "ct/": the file in it is an error, NOT_INCLUDED.
#   - the derivative by itself: no error. The same files by way of the dataset above, with --recursive: NOT_INCLUDED.
# Exits 0 while this is so, 1 when it changed.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check bids-validator-deno==3.0.2 deno==2.9.8 nibabel==5.4.2 numpy==2.2.6
cat > probe.py <<'PY'
import json
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np

VALIDATOR = Path(sys.executable).with_name("bids-validator-deno")


def image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    made = nibabel.Nifti1Image(np.zeros((8, 8, 8), np.int16), np.eye(4))
    made.header.set_xyzt_units("mm", "sec")
    nibabel.save(made, path)


def describe(folder, kind):
    folder.mkdir(parents=True, exist_ok=True)
    told = {"Name": "probe", "BIDSVersion": "1.10.0", "DatasetType": kind}
    if kind == "derivative":
        told["GeneratedBy"] = [{"Name": "probe"}]
    (folder / "dataset_description.json").write_text(json.dumps(told))
    (folder / "README").write_text("A dataset of one subject, made to look at one rule of a validator.\n" * 4)


def errors(folder, *options):
    done = subprocess.run([VALIDATOR, folder, "--json", *options], capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    found = list(told["issues"]["issues"])
    for below in told.get("derivativesSummary", {}).values():
        found += below["issues"]["issues"]
    return sorted({issue["code"] for issue in found if issue["severity"] == "error"})


raw = Path("raw").absolute()
describe(raw, "raw")
image(raw / "sub-1/anat/sub-1_T1w.nii.gz")
image(raw / "sub-1/ct/sub-1_ct.nii.gz")
seen = {}
for line in ("**/ct", "**/ct/", "ct/"):
    (raw / ".bidsignore").write_text(line + "\n")
    seen[line] = errors(raw)
    print(f"line {line!r}: errors {seen[line]}")

(raw / ".bidsignore").write_text("**/ct\n")
derived = raw / "derivatives/one"
describe(derived, "derivative")
image(derived / "sub-1/ct/sub-1_desc-x_dseg.nii.gz")
(derived / ".bidsignore").write_text("**/ct\n")
alone, from_above = errors(derived), errors(raw, "--recursive")
print("the derivative by itself: errors", alone)
print("the same from above:      errors", from_above)
as_seen = seen == {"**/ct": [], "**/ct/": ["NOT_INCLUDED"], "ct/": ["NOT_INCLUDED"]}
as_seen = as_seen and alone == [] and from_above == ["NOT_INCLUDED"]
print("as seen before" if as_seen else "changed")
sys.exit(0 if as_seen else 1)
PY
venv/bin/python probe.py
