from voxloop.kernel.states import StateTable

JOB = StateTable.of(
    "job",
    "queued",
    {
        "queued": {"running", "cancelled", "lost"},
        "running": {"running", "succeeded", "failed", "cancelled", "queued", "lost"},
    },
)
