"""The expected outcome for each person on every API route: one row per route and method."""

from typing import Any

PEOPLE = (
    "anonymous",
    "outsider",
    "elsewhere",
    "annotator",
    "annotator2",
    "reviewer",
    "coordinator",
    "datamanager",
    "admin",
)


YES = "yes"


FORBIDDEN = 403


HIDDEN = 404


LOGIN = 401


NONE = {"anonymous": LOGIN}


def row(default: Any, **people: Any) -> dict[str, Any]:
    """What each person gets: `YES` (any status but a refusal of the person), or the expected refusal."""
    return {name: people.get(name, default) for name in PEOPLE} | NONE


EVERYONE = row(YES)


SEERS_OF_SCAN = row(YES, outsider=HIDDEN, elsewhere=HIDDEN, annotator2=HIDDEN)


SEERS_OF_WORK = row(HIDDEN, annotator=YES, coordinator=YES, datamanager=YES, admin=YES)


OWNER = row(HIDDEN, annotator=YES, coordinator=FORBIDDEN, datamanager=FORBIDDEN, admin=FORBIDDEN)


COORDINATOR_OF_BATCH = row(HIDDEN, annotator=FORBIDDEN, coordinator=YES, datamanager=FORBIDDEN, admin=FORBIDDEN)


LEADER_OF_CAMPAIGN = row(FORBIDDEN, outsider=HIDDEN, coordinator=YES, elsewhere=YES, admin=YES)


SEERS_OF_BATCH = row(HIDDEN, annotator=YES, coordinator=YES, elsewhere=YES, datamanager=YES, admin=YES)


SEERS_OF_ROUND = row(HIDDEN, annotator=YES, reviewer=YES, coordinator=YES, datamanager=YES, admin=YES)


WRITER = SEERS_OF_ROUND | dict.fromkeys(("reviewer", "coordinator", "datamanager", "admin"), FORBIDDEN)


JUDGE = row(HIDDEN, annotator=FORBIDDEN, reviewer=YES, coordinator=FORBIDDEN, datamanager=FORBIDDEN, admin=FORBIDDEN)


KEEPERS_OF_RELEASE = row(HIDDEN, elsewhere=YES, coordinator=YES, datamanager=YES, admin=YES)


DATA_MANAGER = row(HIDDEN, elsewhere=FORBIDDEN, coordinator=FORBIDDEN, datamanager=YES, admin=FORBIDDEN)


COORDINATOR_OF_RUN = row(HIDDEN, elsewhere=YES, coordinator=YES, datamanager=FORBIDDEN, admin=FORBIDDEN)


KEEPERS_OF_MEASURED = KEEPERS_OF_RELEASE | {"elsewhere": HIDDEN}


TAKERS_OF_MODEL = KEEPERS_OF_RELEASE | {"admin": FORBIDDEN}


ERASER = row(FORBIDDEN, outsider=HIDDEN, elsewhere=HIDDEN, annotator2=HIDDEN, datamanager=YES, admin=YES)


ROWS: dict[tuple[str, str], dict[str, Any]] = {
    ("api:token", "post"): dict.fromkeys(PEOPLE, YES),
    ("api:me", "get"): EVERYONE,
    ("api:me-settings", "get"): EVERYONE,
    ("api:me-settings", "patch"): EVERYONE,
    ("api:sites", "get"): EVERYONE,
    ("api:scans", "get"): EVERYONE,
    ("api:scan-upload", "post"): row(FORBIDDEN, outsider=HIDDEN, elsewhere=HIDDEN, coordinator=YES, datamanager=YES),
    ("api:scan", "get"): SEERS_OF_SCAN,
    ("api:scan-masks", "post"): row(
        FORBIDDEN, outsider=HIDDEN, elsewhere=HIDDEN, annotator2=HIDDEN, coordinator=YES, datamanager=YES
    ),
    ("api:scan-withdraw", "post"): row(
        FORBIDDEN, outsider=HIDDEN, elsewhere=HIDDEN, annotator2=HIDDEN, coordinator=YES, datamanager=YES
    ),
    ("api:subject-erasure", "get"): ERASER,
    ("api:subject-erasure", "post"): ERASER,
    ("api:person-deactivate", "post"): row(FORBIDDEN, admin=YES),
    ("api:person-reactivate", "post"): row(FORBIDDEN, admin=YES),
    ("api:volume", "get"): SEERS_OF_SCAN,
    ("api:volume-pack", "get"): SEERS_OF_SCAN,
    ("api:volume-preview", "get"): SEERS_OF_SCAN,
    ("api:campaigns", "get"): EVERYONE,
    ("api:batches", "get"): EVERYONE,
    ("api:batches", "post"): row(FORBIDDEN, outsider=HIDDEN, coordinator=YES, elsewhere=YES),
    ("api:batch-publish", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:batch-choice", "get"): SEERS_OF_BATCH | {"annotator": FORBIDDEN},
    ("api:batch-close", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:batch-cancel", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:batch-assign", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:batch-pause", "get"): SEERS_OF_BATCH,
    ("api:batch-pause", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:batch-resume", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:campaign-pause", "get"): row(YES, outsider=HIDDEN),
    ("api:campaign-pause", "post"): LEADER_OF_CAMPAIGN,
    ("api:campaign-resume", "post"): LEADER_OF_CAMPAIGN,
    ("api:member-pause", "get"): LEADER_OF_CAMPAIGN | {"annotator2": YES},
    ("api:member-pause", "post"): LEADER_OF_CAMPAIGN,
    ("api:member-resume", "post"): LEADER_OF_CAMPAIGN,
    ("api:batch-offline", "get"): SEERS_OF_BATCH,
    ("api:batch-offline", "post"): SEERS_OF_BATCH,
    ("api:batch-offline", "delete"): SEERS_OF_BATCH,
    ("api:assignments", "get"): EVERYONE,
    ("api:claim", "post"): EVERYONE,
    ("api:assignment", "get"): SEERS_OF_WORK,
    ("api:assignment-open", "post"): OWNER,
    ("api:assignment-beat", "post"): OWNER,
    ("api:assignment-marks", "patch"): OWNER,
    ("api:assignment-mask", "get"): SEERS_OF_WORK,
    ("api:assignment-mask", "put"): OWNER,
    ("api:assignment-history", "get"): SEERS_OF_WORK,
    ("api:assignment-voxel", "get"): SEERS_OF_WORK,
    ("api:assignment-answers", "put"): OWNER,
    ("api:assignment-answers", "patch"): OWNER,
    ("api:assignment-propose", "post"): OWNER,
    ("api:assignment-submit", "post"): OWNER,
    ("api:assignment-take-back", "post"): OWNER,
    ("api:assignment-skip", "post"): OWNER,
    ("api:assignment-block", "post"): OWNER,
    ("api:assignment-unblock", "post"): row(HIDDEN, annotator=YES, coordinator=YES, datamanager=YES, admin=FORBIDDEN),
    ("api:assignment-release", "post"): OWNER,
    ("api:assignment-reclaim", "post"): row(FORBIDDEN, coordinator=YES, elsewhere=HIDDEN),
    ("api:revision-mask", "get"): SEERS_OF_SCAN,
    ("api:revision-probability", "get"): SEERS_OF_SCAN,
    ("api:reviews", "get"): EVERYONE,
    ("api:review", "get"): SEERS_OF_ROUND,
    ("api:review-claim", "post"): JUDGE,
    ("api:review-give-back", "post"): JUDGE,
    ("api:review-checks", "patch"): JUDGE,
    ("api:review-approve", "post"): JUDGE,
    ("api:review-correct", "post"): JUDGE,
    ("api:review-return", "post"): JUDGE,
    ("api:review-take-back", "post"): JUDGE,
    ("api:review-comments", "get"): SEERS_OF_ROUND,
    ("api:review-comments", "post"): SEERS_OF_ROUND | {"datamanager": FORBIDDEN, "admin": FORBIDDEN},
    ("api:review-comments-seen", "post"): SEERS_OF_ROUND,
    ("api:comment", "patch"): WRITER,
    ("api:comment-replies", "post"): SEERS_OF_ROUND | {"datamanager": FORBIDDEN, "admin": FORBIDDEN},
    ("api:reply", "patch"): WRITER,
    ("api:comment-resolve", "post"): SEERS_OF_ROUND,
    ("api:comment-reopen", "post"): SEERS_OF_ROUND,
    ("api:jobs", "get"): EVERYONE,
    ("api:job", "get"): row(HIDDEN, datamanager=YES, admin=YES),
    ("api:job-cancel", "post"): row(HIDDEN, datamanager=YES, admin=YES),
    ("api:schema", "get"): EVERYONE,
    ("api:docs", "get"): EVERYONE,
    ("api:training-runs", "get"): EVERYONE,
    ("api:training-runs", "post"): row(FORBIDDEN, outsider=HIDDEN, coordinator=YES, elsewhere=YES),
    ("api:training-run", "get"): KEEPERS_OF_RELEASE,
    ("api:training-run-cancel", "post"): COORDINATOR_OF_RUN,
    ("api:models", "get"): EVERYONE,
    ("api:efforts", "get"): EVERYONE,
    ("api:model-promote", "post"): COORDINATOR_OF_RUN,
    ("api:model-reject", "post"): COORDINATOR_OF_RUN,
    ("api:model-roll-back", "post"): COORDINATOR_OF_RUN,
    ("api:model-bring", "post"): row(FORBIDDEN, outsider=HIDDEN, coordinator=YES, elsewhere=YES),
    ("api:model-pack", "post"): TAKERS_OF_MODEL,
    ("api:model-download", "get"): TAKERS_OF_MODEL,
    ("api:quantities", "get"): EVERYONE,
    ("api:report-pdf", "get"): KEEPERS_OF_MEASURED,
    ("api:report-dicom", "get"): KEEPERS_OF_MEASURED,
    ("api:report-send", "post"): KEEPERS_OF_MEASURED | {"admin": FORBIDDEN},
    ("api:batch-reports", "post"): SEERS_OF_BATCH | {"annotator": FORBIDDEN, "admin": FORBIDDEN},
    ("api:report-set", "get"): row(HIDDEN, coordinator=YES),
    ("api:releases", "get"): EVERYONE,
    ("api:releases", "post"): row(FORBIDDEN, outsider=HIDDEN, datamanager=YES),
    ("api:release", "get"): KEEPERS_OF_RELEASE,
    ("api:release-changes", "get"): KEEPERS_OF_RELEASE,
    ("api:release-freeze", "post"): DATA_MANAGER,
    ("api:release-publish", "post"): DATA_MANAGER,
    ("api:release-yank", "post"): DATA_MANAGER,
    ("api:release-export", "post"): DATA_MANAGER,
    ("api:export-download", "get"): DATA_MANAGER,
    ("api:export-links", "post"): DATA_MANAGER,
}


# Small noise volumes have no lungs, so there is no limit; its view is like the pack's with another field.
NOT_IN_THIS_WORLD = {("api:volume-limit", "get")}
