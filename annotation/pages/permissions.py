"""Who may open which page: one row per URL, enforced by `guarded` and checked by a test."""

from dataclasses import dataclass
from enum import StrEnum

from voxloop.accounts.roles import Role


class Scope(StrEnum):
    """The kind of object in an address. It must be visible to the person, else 404."""

    NONE = "nothing"
    CAMPAIGN = "campaign"
    BATCH = "batch"
    ASSIGNMENT = "assignment"
    ROUND = "review round"
    ARBITRATION = "arbitration"
    SCAN = "scan"
    MODEL = "model"
    RELEASE = "release"
    EXPORT = "export"
    JOB = "job"
    PERSON = "person"
    SITE = "site"
    SUBJECT = "subject"


ADMINISTRATOR = "administrator"  # not a role in a campaign: the person's own flag
ANYBODY = frozenset({"anybody"})  # anybody logged in; with a scope: whoever may see the object

ANNOTATOR = frozenset({Role.ANNOTATOR.value})
REVIEWERS = frozenset({Role.REVIEWER.value, Role.ARBITRATOR.value})
COORDINATOR = frozenset({Role.COORDINATOR.value})
OVERSEERS = frozenset({Role.COORDINATOR.value, Role.DATA_MANAGER.value})
DATA_MANAGER = frozenset({Role.DATA_MANAGER.value})
KEEPERS = frozenset({Role.COORDINATOR.value, Role.DATA_MANAGER.value, ADMINISTRATOR})


@dataclass(frozen=True)
class Row:
    """`roles` in the campaign of the named object (or in any campaign); the allowed `methods`."""

    roles: frozenset[str]
    scope: Scope = Scope.NONE
    methods: tuple[str, ...] = ("GET",)


GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")

ROWS: dict[str, Row] = {
    "home": Row(ANYBODY),
    "setup": Row(ANYBODY),
    "find": Row(ANYBODY),
    "campaigns": Row(ANYBODY),
    "campaign_new": Row(COORDINATOR | {ADMINISTRATOR}, methods=BOTH),
    "campaign_clone": Row(COORDINATOR | {ADMINISTRATOR}, Scope.CAMPAIGN, BOTH),
    "campaign_settings": Row(COORDINATOR | {ADMINISTRATOR}, Scope.CAMPAIGN, BOTH),
    "campaign_pause": Row(COORDINATOR | {ADMINISTRATOR}, Scope.CAMPAIGN, POST),
    "campaign_resume": Row(COORDINATOR | {ADMINISTRATOR}, Scope.CAMPAIGN, POST),
    "member_pause": Row(COORDINATOR | {ADMINISTRATOR}, Scope.CAMPAIGN, POST),
    "member_resume": Row(COORDINATOR | {ADMINISTRATOR}, Scope.CAMPAIGN, POST),
    "campaign_enter": Row(ANYBODY, Scope.CAMPAIGN),
    "guidelines": Row(ANYBODY, Scope.CAMPAIGN),
    "sites": Row(frozenset({ADMINISTRATOR})),
    "site_new": Row(frozenset({ADMINISTRATOR}), methods=BOTH),
    "site": Row(frozenset({ADMINISTRATOR}), Scope.SITE, BOTH),
    "schema_file": Row(ANYBODY, Scope.CAMPAIGN),
    "schema_edit": Row(COORDINATOR | {ADMINISTRATOR}, Scope.CAMPAIGN, BOTH),
    "schema_version_file": Row(KEEPERS, Scope.CAMPAIGN),
    "coded_terms": Row(COORDINATOR | {ADMINISTRATOR}),
    # annotators
    "worklist": Row(ANNOTATOR),
    "claim": Row(ANNOTATOR, methods=POST),
    "trial_begin": Row(ANNOTATOR, Scope.CAMPAIGN, POST),
    "skip": Row(ANNOTATOR, Scope.ASSIGNMENT, POST),
    "block": Row(ANNOTATOR, Scope.ASSIGNMENT, POST),
    "take_back": Row(ANNOTATOR, Scope.ASSIGNMENT, POST),
    "unskip": Row(ANNOTATOR, Scope.ASSIGNMENT, POST),
    # reviewers
    "reviews": Row(REVIEWERS | COORDINATOR),
    "review_claim": Row(REVIEWERS, Scope.ROUND, POST),
    "review_next": Row(REVIEWERS, methods=POST),
    "review_picture": Row(REVIEWERS, Scope.ROUND),
    "arbitration_claim": Row(REVIEWERS, Scope.ARBITRATION, POST),
    "arbitration_give_back": Row(REVIEWERS, Scope.ARBITRATION, POST),
    "arbitration_cancel": Row(COORDINATOR, Scope.ARBITRATION, POST),
    # coordinators
    "dashboard": Row(OVERSEERS, Scope.CAMPAIGN),
    "dashboard_csv": Row(OVERSEERS, Scope.CAMPAIGN),
    "week": Row(OVERSEERS, Scope.CAMPAIGN),
    "week_csv": Row(OVERSEERS, Scope.CAMPAIGN),
    "agreement": Row(OVERSEERS, Scope.CAMPAIGN),
    "agreement_csv": Row(OVERSEERS, Scope.CAMPAIGN),
    "reviewers": Row(COORDINATOR, Scope.CAMPAIGN),
    "reviewers_csv": Row(COORDINATOR, Scope.CAMPAIGN),
    "reader_style": Row(COORDINATOR, Scope.CAMPAIGN),
    "reader_style_csv": Row(COORDINATOR, Scope.CAMPAIGN),
    "gold": Row(COORDINATOR, Scope.CAMPAIGN),
    "gold_make": Row(COORDINATOR, Scope.CAMPAIGN, POST),
    "gold_change": Row(COORDINATOR, Scope.CAMPAIGN, POST),
    "gold_csv": Row(COORDINATOR, Scope.CAMPAIGN),
    "member_let_work": Row(COORDINATOR, Scope.CAMPAIGN, POST),
    "batch_gold": Row(COORDINATOR, Scope.BATCH, POST),
    "quantities": Row(OVERSEERS, Scope.CAMPAIGN),
    "quantities_csv": Row(OVERSEERS, Scope.CAMPAIGN),
    "batches": Row(OVERSEERS, Scope.CAMPAIGN),
    "batches_csv": Row(OVERSEERS, Scope.CAMPAIGN),
    "batch_new": Row(COORDINATOR, Scope.CAMPAIGN, BOTH),
    "batch": Row(OVERSEERS, Scope.BATCH),
    "batch_sample": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_review_all": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_sample_cancel": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_accept_rest": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_reports": Row(OVERSEERS, Scope.BATCH, POST),
    "batch_reports_zip": Row(OVERSEERS, Scope.BATCH),
    "batch_publish": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_assign": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_pause": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_resume": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_close": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_cancel": Row(COORDINATOR, Scope.BATCH, POST),
    "batch_reclaim": Row(COORDINATOR, Scope.BATCH, POST),
    "assignment_reclaim": Row(COORDINATOR, Scope.ASSIGNMENT, POST),
    "assignment_unblock": Row(OVERSEERS, Scope.ASSIGNMENT, POST),
    # data
    "scans": Row(OVERSEERS, Scope.CAMPAIGN),
    "scans_csv": Row(OVERSEERS, Scope.CAMPAIGN),
    "selection_csv": Row(OVERSEERS, Scope.CAMPAIGN, POST),
    "selection_batch": Row(COORDINATOR, Scope.CAMPAIGN, POST),
    "scan": Row(OVERSEERS, Scope.SCAN),
    "scan_picture": Row(OVERSEERS, Scope.SCAN),
    "scan_report": Row(OVERSEERS, Scope.SCAN),
    "scan_report_pdf": Row(OVERSEERS, Scope.SCAN),
    "scan_report_dicom": Row(OVERSEERS, Scope.SCAN),
    "scan_report_surface": Row(OVERSEERS, Scope.SCAN),
    "scan_report_slice": Row(OVERSEERS, Scope.SCAN),
    "scan_report_send": Row(OVERSEERS, Scope.SCAN, POST),
    "mask_bring": Row(OVERSEERS, Scope.SCAN, BOTH),
    "mask_map": Row(OVERSEERS, Scope.SCAN, BOTH),
    "mask_label_picture": Row(OVERSEERS, Scope.SCAN),
    "scan_withdraw": Row(OVERSEERS, Scope.SCAN, POST),
    "subject_erase": Row(DATA_MANAGER | {ADMINISTRATOR}, Scope.SUBJECT, BOTH),
    "clinical": Row(OVERSEERS, Scope.CAMPAIGN, BOTH),
    "clinical_sheet": Row(OVERSEERS, Scope.CAMPAIGN, BOTH),
    "eligibility": Row(OVERSEERS, Scope.CAMPAIGN),
    "eligibility_csv": Row(OVERSEERS, Scope.CAMPAIGN),
    "criteria": Row(DATA_MANAGER, Scope.CAMPAIGN, BOTH),
    "eligibility_decide": Row(DATA_MANAGER, Scope.CAMPAIGN, POST),
    "upload": Row(OVERSEERS, methods=BOTH),
    # learning
    "models": Row(OVERSEERS, Scope.CAMPAIGN),
    "models_live": Row(OVERSEERS, Scope.CAMPAIGN),
    "models_csv": Row(OVERSEERS, Scope.CAMPAIGN),
    "effort": Row(OVERSEERS, Scope.CAMPAIGN),
    "effort_csv": Row(OVERSEERS, Scope.CAMPAIGN),
    "train": Row(COORDINATOR, Scope.CAMPAIGN, POST),
    "train_cancel": Row(COORDINATOR, Scope.CAMPAIGN, POST),
    "promote": Row(COORDINATOR, Scope.MODEL, POST),
    "reject": Row(COORDINATOR, Scope.MODEL, POST),
    "model_roll_back": Row(COORDINATOR, Scope.MODEL, POST),
    "model_card": Row(OVERSEERS, Scope.MODEL),
    "model_card_file": Row(OVERSEERS, Scope.MODEL),
    "case_picture": Row(OVERSEERS, Scope.MODEL),
    "model_bring": Row(COORDINATOR, Scope.CAMPAIGN, BOTH),
    "model_pack": Row(OVERSEERS, Scope.MODEL, POST),
    "model_download": Row(OVERSEERS, Scope.MODEL),
    # releases
    "releases": Row(OVERSEERS, Scope.CAMPAIGN),
    "release_new": Row(DATA_MANAGER, Scope.CAMPAIGN, BOTH),
    "release_count": Row(DATA_MANAGER, Scope.CAMPAIGN),
    "release": Row(OVERSEERS, Scope.RELEASE),
    "release_estimate": Row(DATA_MANAGER, Scope.RELEASE),
    "release_changes": Row(OVERSEERS, Scope.RELEASE),
    "release_changes_csv": Row(OVERSEERS, Scope.RELEASE),
    "release_paper": Row(OVERSEERS, Scope.RELEASE),
    "release_paper_html": Row(OVERSEERS, Scope.RELEASE),
    "release_paper_docx": Row(OVERSEERS, Scope.RELEASE),
    "release_paper_tex": Row(OVERSEERS, Scope.RELEASE),
    "release_discard": Row(DATA_MANAGER, Scope.RELEASE, POST),
    "release_freeze": Row(DATA_MANAGER, Scope.RELEASE, POST),
    "release_export": Row(DATA_MANAGER, Scope.RELEASE, POST),
    "export_download": Row(DATA_MANAGER, Scope.EXPORT),
    "export_links": Row(DATA_MANAGER, Scope.EXPORT, POST),
    "release_publish": Row(DATA_MANAGER, Scope.RELEASE, POST),
    "release_yank": Row(DATA_MANAGER, Scope.RELEASE, POST),
    # the machine
    "jobs": Row(KEEPERS),
    "jobs_csv": Row(KEEPERS),
    "audit_log": Row(frozenset({ADMINISTRATOR})),
    "audit_csv": Row(frozenset({ADMINISTRATOR})),
    "audit_verify": Row(frozenset({ADMINISTRATOR}), methods=POST),
    "system": Row(COORDINATOR | {ADMINISTRATOR}),
    "settings_shown": Row(frozenset({ADMINISTRATOR})),
    "job": Row(KEEPERS, Scope.JOB),
    "job_csv": Row(KEEPERS, Scope.JOB),
    "job_cancel": Row(KEEPERS, Scope.JOB, POST),
    # people
    "people": Row(frozenset({ADMINISTRATOR}) | COORDINATOR),
    "people_csv": Row(frozenset({ADMINISTRATOR}) | COORDINATOR),
    "people_selected_csv": Row(frozenset({ADMINISTRATOR}) | COORDINATOR, methods=POST),
    "person_new": Row(frozenset({ADMINISTRATOR}), methods=BOTH),
    "person": Row(frozenset({ADMINISTRATOR}), Scope.PERSON, BOTH),
    "person_access": Row(frozenset({ADMINISTRATOR}), Scope.PERSON, POST),
    "person_deactivate": Row(frozenset({ADMINISTRATOR}), Scope.PERSON, POST),
    "person_reactivate": Row(frozenset({ADMINISTRATOR}), Scope.PERSON, POST),
    "me": Row(ANYBODY),
    "notices": Row(ANYBODY),
    "notices_read": Row(ANYBODY, methods=POST),
    "notices_choose": Row(ANYBODY, methods=POST),
    "theme": Row(ANYBODY, methods=POST),
    "time_zone": Row(ANYBODY, methods=POST),
    "token_new": Row(ANYBODY, methods=POST),
    "token_revoke": Row(ANYBODY, methods=POST),
    "sessions_end": Row(ANYBODY, methods=POST),
}
