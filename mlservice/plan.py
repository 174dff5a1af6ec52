"""Stage `plan`: derive a frozen configuration from a profile and the labelled scans."""

from __future__ import annotations

import sys

import msgspec
import numpy as np

from mlservice.contract.config import TrainingConfig
from mlservice.contract.profiles import profile
from mlservice.contract.requests import PlanRequest
from mlservice.contract.results import PlanResult
from mlservice.scans import has_lungs, load_labels, load_volume
from voxloop.child import ContractError
from voxloop.child.inside import ChildFolder, run_inside

# A segment is learned when at least this much of it is labelled; fewer voxels only add noise.
LEAST_VOXELS = 2000
LEAST_SCANS = 2
# When the sites' slices differ from the profile's by this factor, the grid uses the sites' median.
SPACING_TOLERANCE = 1.5


def plan(request: PlanRequest, job: ChildFolder) -> PlanResult:
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
        fate = "learned as findings without a class" if config.finds_any else "ignored in training"
        notes.append(f"Too little is labelled of {', '.join(left_out)}: those voxels are {fate}.")
    config = msgspec.structs.replace(
        config, classes=tuple(enough), cpu_threads=request.cpu_threads, steps=request.steps or config.steps
    )
    config, moved = _with_spacing(config, request)
    config, without = _without_limit(config, request, job)
    return PlanResult(config, voxels, (*notes, *moved, *without))


def _with_spacing(config: TrainingConfig, request: PlanRequest) -> tuple[TrainingConfig, tuple[str, ...]]:
    if config.is_flat:
        return config, ()
    z, y, x = (float(v) for v in np.median([scan.spacing_mm_zyx for scan in request.scans], axis=0))
    ratios = [ours / theirs for ours, theirs in zip(config.spacing_mm_zyx, (z, y, x), strict=True)]
    if all(1 / SPACING_TOLERANCE <= ratio <= SPACING_TOLERANCE for ratio in ratios):
        return config, ()
    note = f"The sites' median spacing, {z:.2f} × {y:.2f} × {x:.2f} mm, is the model's grid."
    return msgspec.structs.replace(config, spacing_mm_zyx=(z, y, x)), (note,)


def _without_limit(
    config: TrainingConfig, request: PlanRequest, job: ChildFolder
) -> tuple[TrainingConfig, tuple[str, ...]]:
    """Where no scan comes with its lungs, findings may lie anywhere: the network is not told of a limit."""
    if not config.lung_channel or any(has_lungs(scan, job) for scan in request.scans):
        return config, ()
    note = "No scan comes with its lungs: the model learns without their limit, and from marked lesions alone."
    return msgspec.structs.replace(
        config, lung_channel=False, paste_share=0.0, haze_share=0.0, consolidation_share=0.0
    ), (note,)


if __name__ == "__main__":
    sys.exit(run_inside(PlanRequest, plan))
