from voxloop.kernel.states import StateTable

SCAN = StateTable.of(
    "scan",
    "received",
    {
        "received": {"screening", "rejected", "failed"},
        "screening": {"converting", "rejected", "failed"},
        "converting": {"ready", "rejected", "failed"},
        "ready": {"withdrawn"},
    },
    needs_reason={"rejected", "failed", "withdrawn"},
)
