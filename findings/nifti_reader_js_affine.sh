#!/usr/bin/env bash
# nifti-reader-js 0.8.0 gives one image another place as NIfTI-2 than as NIfTI-1: the qform is ignored, and the affine
# of an image that has only a qform is zero everywhere.
#
# Input: one small volume, written by nibabel 5.4.2 as NIfTI-1 and as NIfTI-2 with equal fields: once with a qform alone
# (qform_code 1, sform_code 0: a quarter turn, 1 x 2 x 3 mm), once with a qform of code 2 and another sform of code 1.
# Both are valid; NIfTI-2 differs from NIfTI-1 in the width of its fields, not in how a place is found.
# Expected: the same affine for both files; nibabel gives the same one.
# Seen:
#   - qform alone: NIfTI-1 the turned affine, NIfTI-2 all zeros: every voxel lies at (0, 0, 0) and measures nothing. The
#     reader's own method for the qform, asked of the same header, has the right matrix.
#   - both forms: NIfTI-1 takes the qform because its code is the larger one, NIfTI-2 the sform. nibabel takes the sform
#     in both, so even the NIfTI-1 file lies elsewhere in a viewer than in Python.
# Exits 0 while this is so, 1 when it changed. Needs node 18 or later and npm.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check nibabel==5.4.2 numpy==2.2.6
npm install --silent --no-audit --no-fund --prefix . nifti-reader-js@0.8.0 >/dev/null
cat > write.py <<'PY'
import nibabel
import numpy as np

qform = np.array([[0, -2, 0, 100], [1, 0, 0, 200], [0, 0, 3, 300], [0, 0, 0, 1.0]])
sform = np.array([[1, 0, 0, 7], [0, 2, 0, 8], [0, 0, 3, 9], [0, 0, 0, 1.0]])
voxels = np.zeros((2, 3, 4), np.int16)
for kind, image_class in (("nifti1", nibabel.Nifti1Image), ("nifti2", nibabel.Nifti2Image)):
    for name, codes in (("qform-alone", (1, 0)), ("both", (2, 1))):
        image = image_class(voxels, None)
        image.set_qform(qform, codes[0])
        image.set_sform(sform if codes[1] else None, codes[1])
        nibabel.save(image, f"{name}-{kind}.nii")
        best = nibabel.load(f"{name}-{kind}.nii").affine
        expected = sform if codes[1] else qform
        assert np.allclose(best, expected, atol=1e-5), best
print(f"nibabel {nibabel.__version__}: the qform where it is alone, else the sform, in both formats")
PY
venv/bin/python write.py
cat > probe.mjs <<'JS'
import { readFileSync } from "node:fs";
import * as nifti from "nifti-reader-js";

const ZERO = [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]];
const QFORM = [[0, -2, 0, 100], [1, 0, 0, 200], [0, 0, 3, 300], [0, 0, 0, 1]];
const SFORM = [[1, 0, 0, 7], [0, 2, 0, 8], [0, 0, 3, 9], [0, 0, 0, 1]];
const isNear = (a, b) => a.every((row, i) => row.every((value, j) => Math.abs(value - b[i][j]) < 1e-4));
const KNOWN = [["the qform", QFORM], ["the sform", SFORM], ["zeros", ZERO]];
const nameOf = (matrix) => KNOWN.find(([, known]) => isNear(matrix, known))?.[0] ?? JSON.stringify(matrix);

const headerOf = (name) => {
  const bytes = readFileSync(`${name}.nii`);
  return nifti.readHeader(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};
const seen = ["qform-alone-nifti1", "qform-alone-nifti2", "both-nifti1", "both-nifti2"].map((name) => {
  const header = headerOf(name);
  const found = nameOf(header.affine);
  const byMethod = nameOf(header.getQformMat());
  console.log(`nifti-reader-js 0.8.0, ${name}: affine is ${found}; its own method for the qform gives ${byMethod}`);
  return found;
});
if (seen.join() !== "the qform,zeros,the qform,the sform") {
  console.error("changed: the affine of NIfTI-1 and NIfTI-2 is found in another way now");
  process.exit(1);
}
console.log("as described: the same fields give another place in NIfTI-2 than in NIfTI-1");
JS
node probe.mjs
