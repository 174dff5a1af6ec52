"""States of review rounds, certificates, certification trials, arbitrations and comments."""

from django.db.models import TextChoices

from voxloop.kernel.states import StateTable


class RoundState(TextChoices):
    PENDING = "pending"
    CLAIMED = "claimed"
    APPROVED = "approved"
    CORRECTED = "corrected"
    RETURNED = "returned"
    ARBITRATION = "arbitration"
    WITHDRAWN = "withdrawn"
    TAKEN_BACK = "taken_back"


REVIEW_ROUND = StateTable.of(
    "review round",
    RoundState.PENDING,
    {
        # To approved: accepted on the certificate of its batch (annotation.reviews.certificates). To arbitration: the
        # readers of its scan disagree too much (annotation.reviews.arbitration).
        RoundState.PENDING: {
            RoundState.CLAIMED,
            RoundState.APPROVED,
            RoundState.ARBITRATION,
            RoundState.WITHDRAWN,
            RoundState.TAKEN_BACK,
        },
        RoundState.CLAIMED: {
            RoundState.APPROVED,
            RoundState.CORRECTED,
            RoundState.RETURNED,
            RoundState.PENDING,
            RoundState.WITHDRAWN,
        },
        # To pending: the arbitration was given up, each reading is reviewed.
        RoundState.ARBITRATION: {
            RoundState.APPROVED,
            RoundState.CORRECTED,
            RoundState.PENDING,
            RoundState.WITHDRAWN,
        },
        # A verdict taken back at once, while nobody has begun on it (annotation.reviews.taking_back).
        RoundState.APPROVED: {RoundState.CLAIMED},
        RoundState.CORRECTED: {RoundState.CLAIMED},
        RoundState.RETURNED: {RoundState.CLAIMED},
    },
)


class CertificateState(TextChoices):
    DRAWN = "drawn"
    ACCEPTED = "accepted"
    FAILED = "failed"
    CANCELLED = "cancelled"


CERTIFICATE = StateTable.of(
    "batch certificate",
    CertificateState.DRAWN,
    {
        # Accepted: no defect in the sample, and somebody signed for the rest. Failed: the first defect was found.
        CertificateState.DRAWN: {
            CertificateState.ACCEPTED,
            CertificateState.FAILED,
            CertificateState.CANCELLED,
        },
    },
    needs_reason={CertificateState.FAILED, CertificateState.CANCELLED},
)


class TrialState(TextChoices):
    WORKING = "working"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"


TRIAL = StateTable.of(
    "certification",
    TrialState.WORKING,
    {TrialState.WORKING: {TrialState.PASSED, TrialState.FAILED, TrialState.CANCELLED}},
    needs_reason={TrialState.CANCELLED},
)


class ArbitrationState(TextChoices):
    WAITING = "waiting"
    CLAIMED = "claimed"
    DECIDED = "decided"
    CANCELLED = "cancelled"


ARBITRATION = StateTable.of(
    "arbitration",
    ArbitrationState.WAITING,
    {
        ArbitrationState.WAITING: {ArbitrationState.CLAIMED, ArbitrationState.CANCELLED},
        ArbitrationState.CLAIMED: {
            ArbitrationState.DECIDED,
            ArbitrationState.WAITING,
            ArbitrationState.CANCELLED,
        },
    },
    needs_reason={ArbitrationState.CANCELLED},
)


class CommentState(TextChoices):
    OPEN = "open"
    RESOLVED = "resolved"
    REOPENED = "reopened"


COMMENT = StateTable.of(
    "comment",
    CommentState.OPEN,
    {
        CommentState.OPEN: {CommentState.RESOLVED},
        CommentState.RESOLVED: {CommentState.REOPENED},
        CommentState.REOPENED: {CommentState.RESOLVED},
    },
)
