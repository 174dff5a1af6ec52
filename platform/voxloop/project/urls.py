"""All URLs of the product. A test checks that each has a permission row."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from annotation.datasets import api as datasets
from annotation.dicomweb import urls as dicomweb
from annotation.intake import api as intake
from annotation.learning import api as learning
from annotation.learning import effort_api
from annotation.masks import api as masks
from annotation.masks import foreign_api as foreign_masks
from annotation.masks import model_api as mask_models
from annotation.pages import viewer
from annotation.pages.views import entrance
from annotation.reporting import api as reporting
from annotation.reviews import api as reviews
from annotation.reviews import comments_api as comments
from annotation.reviews import taking_back_api as taking_back
from annotation.reviews import verdicts_api as verdicts
from annotation.work import activity_api as activity
from annotation.work import api as work
from annotation.work import choosing_api
from annotation.work import erasing_api as erasing
from annotation.work import marks_api as marks
from annotation.work import pausing_api as pausing
from annotation.work import people_api as people
from annotation.work import scans_api as scans
from voxloop.accounts import api as accounts
from voxloop.jobs import api as jobs
from voxloop.project import views

API = [
    path("auth/token", accounts.TokenView.as_view(), name="token"),
    path("me/", accounts.MeView.as_view(), name="me"),
    path("me/settings", accounts.SettingsView.as_view(), name="me-settings"),
    path("sites/", scans.SiteListView.as_view(), name="sites"),
    path("scans/", scans.ScanListView.as_view(), name="scans"),
    path("scans/upload", intake.ScanUploadView.as_view(), name="scan-upload"),
    path("scans/<uuid:pk>/", scans.ScanView.as_view(), name="scan"),
    path("scans/<uuid:pk>/withdraw", scans.ScanWithdrawView.as_view(), name="scan-withdraw"),
    path("scans/<uuid:pk>/masks", foreign_masks.ScanMasksView.as_view(), name="scan-masks"),
    path("scans/<uuid:pk>/volume", scans.VolumeView.as_view(), name="volume"),
    path("scans/<uuid:pk>/volume/pack", scans.PackView.as_view(), name="volume-pack"),
    path("scans/<uuid:pk>/volume/preview", scans.PreviewView.as_view(), name="volume-preview"),
    path("scans/<uuid:pk>/volume/limit", scans.LimitView.as_view(), name="volume-limit"),
    path("campaigns/", work.CampaignListView.as_view(), name="campaigns"),
    path("campaigns/<uuid:pk>/pause", pausing.CampaignPauseView.as_view(), name="campaign-pause"),
    path("campaigns/<uuid:pk>/resume", pausing.CampaignResumeView.as_view(), name="campaign-resume"),
    path("campaigns/<uuid:pk>/people/<uuid:person>/pause", pausing.MemberPauseView.as_view(), name="member-pause"),
    path("campaigns/<uuid:pk>/people/<uuid:person>/resume", pausing.MemberResumeView.as_view(), name="member-resume"),
    path("batches/", work.BatchListView.as_view(), name="batches"),
    path("batches/<uuid:pk>/publish", work.BatchActionView.as_view(action="publish"), name="batch-publish"),
    path("batches/<uuid:pk>/choice", choosing_api.BatchChoiceView.as_view(), name="batch-choice"),
    path("batches/<uuid:pk>/close", work.BatchActionView.as_view(action="close"), name="batch-close"),
    path("batches/<uuid:pk>/cancel", work.BatchActionView.as_view(action="cancel"), name="batch-cancel"),
    path("batches/<uuid:pk>/pause", pausing.BatchPauseView.as_view(), name="batch-pause"),
    path("batches/<uuid:pk>/resume", pausing.BatchResumeView.as_view(), name="batch-resume"),
    path("batches/<uuid:pk>/assign", work.BatchAssignView.as_view(), name="batch-assign"),
    path("batches/<uuid:pk>/offline", masks.BatchOfflineView.as_view(), name="batch-offline"),
    path("assignments/", work.AssignmentListView.as_view(), name="assignments"),
    path("assignments/claim", reviews.ClaimView.as_view(), name="claim"),
    path("assignments/<uuid:pk>/", reviews.AssignmentView.as_view(), name="assignment"),
    path("assignments/<uuid:pk>/open", reviews.OpenView.as_view(), name="assignment-open"),
    path("assignments/<uuid:pk>/marks", marks.AssignmentMarksView.as_view(), name="assignment-marks"),
    path("assignments/<uuid:pk>/beat", activity.AssignmentBeatView.as_view(), name="assignment-beat"),
    path("assignments/<uuid:pk>/mask", masks.AssignmentMaskView.as_view(), name="assignment-mask"),
    path("assignments/<uuid:pk>/history", masks.AssignmentHistoryView.as_view(), name="assignment-history"),
    path("assignments/<uuid:pk>/voxel", masks.AssignmentVoxelView.as_view(), name="assignment-voxel"),
    path("assignments/<uuid:pk>/propose", mask_models.AssignmentProposeView.as_view(), name="assignment-propose"),
    path("assignments/<uuid:pk>/answers", masks.AnswersView.as_view(), name="assignment-answers"),
    path("assignments/<uuid:pk>/submit", reviews.SubmitView.as_view(), name="assignment-submit"),
    path("assignments/<uuid:pk>/take-back", taking_back.SubmissionTakeBackView.as_view(), name="assignment-take-back"),
    path("assignments/<uuid:pk>/skip", work.AssignmentReasonView.as_view(action="skip"), name="assignment-skip"),
    path("assignments/<uuid:pk>/block", work.AssignmentReasonView.as_view(action="block"), name="assignment-block"),
    path("assignments/<uuid:pk>/unblock", work.AssignmentUnblockView.as_view(), name="assignment-unblock"),
    path("assignments/<uuid:pk>/release", work.AssignmentReleaseView.as_view(), name="assignment-release"),
    path("assignments/<uuid:pk>/reclaim", work.AssignmentReclaimView.as_view(), name="assignment-reclaim"),
    path("revisions/<uuid:pk>/mask", masks.RevisionMaskView.as_view(), name="revision-mask"),
    path("revisions/<uuid:pk>/probability", mask_models.RevisionProbabilityView.as_view(), name="revision-probability"),
    path("reviews/", reviews.ReviewListView.as_view(), name="reviews"),
    path("reviews/<uuid:pk>/", reviews.ReviewView.as_view(), name="review"),
    path("reviews/<uuid:pk>/claim", reviews.ReviewClaimView.as_view(), name="review-claim"),
    path("reviews/<uuid:pk>/give-back", reviews.ReviewGiveBackView.as_view(), name="review-give-back"),
    path("reviews/<uuid:pk>/checks", reviews.ReviewChecksView.as_view(), name="review-checks"),
    path("reviews/<uuid:pk>/approve", verdicts.VerdictView.as_view(action="approve"), name="review-approve"),
    path("reviews/<uuid:pk>/correct", verdicts.VerdictView.as_view(action="correct"), name="review-correct"),
    path("reviews/<uuid:pk>/take-back", taking_back.VerdictTakeBackView.as_view(), name="review-take-back"),
    path("reviews/<uuid:pk>/return", verdicts.ReturnView.as_view(), name="review-return"),
    path("reviews/<uuid:pk>/comments", comments.ReviewCommentsView.as_view(), name="review-comments"),
    path("reviews/<uuid:pk>/comments/seen", comments.CommentsSeenView.as_view(), name="review-comments-seen"),
    path("comments/<uuid:pk>/", comments.CommentView.as_view(), name="comment"),
    path("comments/<uuid:pk>/replies", comments.RepliesView.as_view(), name="comment-replies"),
    path("replies/<uuid:pk>/", comments.ReplyView.as_view(), name="reply"),
    path("comments/<uuid:pk>/resolve", comments.CommentStateView.as_view(action="resolve"), name="comment-resolve"),
    path("comments/<uuid:pk>/reopen", comments.CommentStateView.as_view(action="reopen"), name="comment-reopen"),
    *datasets.urls,
    *reporting.urls,
    path("subjects/<uuid:pk>/erasure", erasing.ErasureView.as_view(), name="subject-erasure"),
    path("people/<uuid:pk>/deactivate", people.AccountCloseView.as_view(), name="person-deactivate"),
    path("people/<uuid:pk>/reactivate", people.AccountOpenView.as_view(), name="person-reactivate"),
    path("jobs/", jobs.JobListView.as_view(), name="jobs"),
    path("jobs/<uuid:pk>/", jobs.JobView.as_view(), name="job"),
    path("jobs/<uuid:pk>/cancel", jobs.JobCancelView.as_view(), name="job-cancel"),
    path("schema/", SpectacularAPIView.as_view(api_version="1"), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    *learning.urls,
    path("efforts/", effort_api.EffortListView.as_view(), name="efforts"),
]

urlpatterns = [
    path("healthz", views.health, name="health"),
    path("metrics", views.metrics, name="metrics"),
    path("api/v1/", include((API, "api"))),
    path("dicom-web/", include((dicomweb.urls, "dicomweb"))),
    # Administrators create accounts, and no mail is sent: these routes of allauth are disabled.
    re_path(r"^accounts/(?:signup|email|confirm-email|password/reset|login/code|sessions)(?:/|$)", views.not_found),
    path("accounts/password/<str:key>/<str:token>/", entrance.password_link, name="password_link"),
    path("accounts/", include("allauth.urls")),
    path("offline.js", viewer.offline_worker, name="offline-worker"),
    path("offline/files", viewer.offline_files, name="offline-files"),
    path("view/<uuid:pk>/", viewer.view_assignment, name="view"),
    path("", include("annotation.pages.urls")),
]

# Error responses of Django itself: problem documents below /api/, pages elsewhere.
handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.broken
