"""Stage `acquire`: the order in which scans are worth labelling, by each strategy (mlservice/choosing.py)."""

from __future__ import annotations

import sys

from mlservice.choosing import choose
from mlservice.contract.requests import AcquireRequest
from mlservice.contract.results import AcquireResult
from voxloop.child.inside import ChildFolder, run_inside


def acquire(request: AcquireRequest, job: ChildFolder) -> AcquireResult:
    """Order every candidate."""
    job.report(0, 1, f"Ordering {len(request.scans)} scans")
    return AcquireResult(choose(request))


if __name__ == "__main__":
    sys.exit(run_inside(AcquireRequest, acquire))
