"""Stage `plan`: look at the labelled scans and turn a profile into one frozen configuration."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np

from mlservice.contract.codec import ContractError
from mlservice.contract.config import TrainingConfig, profile
from mlservice.contract.requests import PlanRequest
from mlservice.contract.results import PlanResult
from mlservice.job import Job, run_stage
from mlservice.scans import load_labels, load_volume

# A segment is learned when at least this much of it is labelled; fewer voxels only teach noise.
LEAST_VOXELS = 2000
LEAST_SCANS = 2
# Scans this much finer or coarser than the profile's slices move its grid to the sites' median (learning.md).
SPACING_TOLERANCE = 1.5


def plan(request: PlanRequest, job: Job) -> PlanResult:
    """Choose the classes with enough labels and the grid. Raises ContractError `nothing_to_learn`, `bad_scan`."""
    config = profile(request.profile)
    voxels = {segment.key: 0 for segment in request.segments}
    seen_in = dict.fromkeys(voxels, 0)
    for position, scan in enumerate(request.scans):
        counts = np.bincount(load_labels(scan, job, load_volume(scan, job).shape).reshape(-1), minlength=256)
        for segment in request.segments:
            voxels[segment.key] += int(counts[segment.id])
            seen_in[segment.key] += int(counts[segment.id] > 0)
        job.report(position + 1, len(request.scans), f"Looked at scan {position + 1} of {len(request.scans)}")
    enough = [s for s in request.segments if voxels[s.key] >= LEAST_VOXELS and seen_in[s.key] >= LEAST_SCANS]
    if not enough:
        most = max(request.segments, key=lambda segment: voxels[segment.key])
        if voxels[most.key] == 0:
            raise ContractError("nothing_to_learn", "None of the approved masks holds a finding.")
        enough = [most]
    left_out = [s.key for s in request.segments if s not in enough and voxels[s.key]]
    notes = [f"Learns {', '.join(s.key for s in enough)} from {len(request.scans)} scans."]
    if left_out:
        notes.append(f"Too little is labelled of {', '.join(left_out)}: those voxels teach nothing, neither way.")
    config = dataclasses.replace(
        config, classes=tuple(enough), cpu_threads=request.cpu_threads, steps=request.steps or config.steps
    )
    config, moved = _with_spacing(config, request)
    return PlanResult(config, voxels, (*notes, *moved))


def _with_spacing(config: TrainingConfig, request: PlanRequest) -> tuple[TrainingConfig, tuple[str, ...]]:
    if config.is_flat:
        return config, ()
    z, y, x = (float(v) for v in np.median([scan.spacing_mm_zyx for scan in request.scans], axis=0))
    ratios = [ours / theirs for ours, theirs in zip(config.spacing_mm_zyx, (z, y, x), strict=True)]
    if all(1 / SPACING_TOLERANCE <= ratio <= SPACING_TOLERANCE for ratio in ratios):
        return config, ()
    note = f"The sites' median spacing, {z:.2f} × {y:.2f} × {x:.2f} mm, is the model's grid."
    return dataclasses.replace(config, spacing_mm_zyx=(z, y, x)), (note,)


if __name__ == "__main__":
    sys.exit(run_stage(PlanRequest, plan))
