from voxloop.kernel.states import StateTable

TRAINING_RUN = StateTable.of(
    "training run",
    "queued",
    {
        "queued": {"running", "failed", "cancelled", "lost"},
        "running": {"running", "evaluating", "failed", "cancelled", "lost"},
        "evaluating": {"running", "candidate", "failed", "cancelled", "lost"},
        "candidate": {"promoted", "rejected"},
    },
)

MODEL_VERSION = StateTable.of(
    "model version",
    "candidate",
    {
        "candidate": {"champion", "rejected"},
        "champion": {"replaced"},
        "replaced": {"champion"},
        "rejected": {"champion"},  # a person may overrule the gate, with a reason
    },
)

PRE_ANNOTATION = StateTable.of(
    "pre-annotation", "requested", {"requested": {"ready", "discarded"}, "ready": {"used", "discarded"}}
)
