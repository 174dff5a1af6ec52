"""Which scope a token needs for which route: reading needs `read`; what changes something is listed here.

A changing route that is not listed is closed to tokens (a test checks that every one is listed)."""

from voxloop.accounts.models import Scope

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

CHANGES: dict[str, Scope] = {
    "me-settings": Scope.WORK,
    "batch-offline": Scope.WORK,
    "claim": Scope.WORK,
    "assignment-open": Scope.WORK,
    "assignment-beat": Scope.WORK,
    "assignment-marks": Scope.WORK,
    "assignment-mask": Scope.WORK,
    "assignment-propose": Scope.WORK,
    "assignment-answers": Scope.WORK,
    "assignment-submit": Scope.WORK,
    "assignment-take-back": Scope.WORK,
    "assignment-skip": Scope.WORK,
    "assignment-block": Scope.WORK,
    "assignment-release": Scope.WORK,
    "review-claim": Scope.WORK,
    "review-give-back": Scope.WORK,
    "review-checks": Scope.WORK,
    "review-approve": Scope.WORK,
    "review-correct": Scope.WORK,
    "review-return": Scope.WORK,
    "review-take-back": Scope.WORK,
    "review-comments": Scope.WORK,
    "review-comments-seen": Scope.WORK,
    "comment": Scope.WORK,
    "comment-replies": Scope.WORK,
    "comment-resolve": Scope.WORK,
    "comment-reopen": Scope.WORK,
    "reply": Scope.WORK,
    "assignment-unblock": Scope.MANAGE,
    "assignment-reclaim": Scope.MANAGE,
    "scan-upload": Scope.MANAGE,
    "batches": Scope.MANAGE,
    "batch-publish": Scope.MANAGE,
    "batch-close": Scope.MANAGE,
    "batch-cancel": Scope.MANAGE,
    "batch-assign": Scope.MANAGE,
    "batch-pause": Scope.MANAGE,
    "batch-resume": Scope.MANAGE,
    "batch-reports": Scope.MANAGE,
    "campaign-pause": Scope.MANAGE,
    "campaign-resume": Scope.MANAGE,
    "member-pause": Scope.MANAGE,
    "member-resume": Scope.MANAGE,
    "report-send": Scope.MANAGE,
    "training-runs": Scope.MANAGE,
    "training-run-cancel": Scope.MANAGE,
    "model-bring": Scope.MANAGE,
    "model-pack": Scope.MANAGE,
    "model-promote": Scope.MANAGE,
    "model-reject": Scope.MANAGE,
    "model-roll-back": Scope.MANAGE,
    "releases": Scope.MANAGE,
    "release-freeze": Scope.MANAGE,
    "release-publish": Scope.MANAGE,
    "release-yank": Scope.MANAGE,
    "release-export": Scope.MANAGE,
    "export-links": Scope.READ,
    "job-cancel": Scope.MANAGE,
    "scan-withdraw": Scope.MANAGE,
    "scan-masks": Scope.MANAGE,
    "subject-erasure": Scope.MANAGE,
    "person-deactivate": Scope.MANAGE,
    "person-reactivate": Scope.MANAGE,
}


def scope_needed(method: str, route: str) -> Scope | None:
    """The scope for a method on the API's route of that name; None when no token may."""
    return Scope.READ if method in SAFE else CHANGES.get(route)
