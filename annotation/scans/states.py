from voxloop.kernel.states import StateTable

SCAN = StateTable.of(
    "scan",
    "received",
    {
        "received": {"screening", "rejected", "failed"},
        "screening": {"converting", "rejected", "failed"},
        "converting": {"ready", "rejected", "failed"},
        "ready": {"withdrawn", "erased"},
        "withdrawn": {"erased"},
        "rejected": {"erased"},
        "failed": {"erased"},
    },
    needs_reason={"rejected", "failed", "withdrawn", "erased"},
)
