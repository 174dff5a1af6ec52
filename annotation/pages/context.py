"""Context of every page's frame: the current campaign, navigation links, pending counts."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from annotation.learning.selectors import waiting_models
from annotation.notices.selectors import count_unread
from annotation.pages.guard import SESSION_CAMPAIGN, admits
from annotation.pages.permissions import ROWS
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.setup import setup_progress
from annotation.reviews.selectors import arbitration_queue, review_queue
from annotation.work.models import Campaign, CampaignMember
from annotation.work.selectors import CAME_BACK, visible_campaigns, work_list
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.jobs.health import Fault, recent_health
from voxloop.jobs.selectors import visible_jobs
from voxloop.jobs.states import JobState

THEMES = [("system", "System", "monitor"), ("light", "Light", "sun"), ("dark", "Dark", "moon")]


@dataclass
class Link:
    """One entry of the navigation bar."""

    url: str
    word: str
    icon: str
    count: int = 0
    hot: bool = False
    count_means: str = ""
    current: bool = False


def navigation(request: PageRequest) -> dict[str, Any]:
    """The navigation bar for this person; only the theme without a log-in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"theme": "system", "contact": settings.CONTACT}
    if request.htmx:  # a fragment of a page has no frame
        return {"theme": user.theme, "campaign": getattr(request, "campaign", None)}
    campaigns = list(visible_campaigns(user))
    campaign = current_campaign(request, campaigns)
    roles = frozenset(CampaignMember.objects.filter(user=user, campaign=campaign).values_list("role", flat=True))
    links = _links(user, campaign, roles)
    if not request.path.startswith(reverse("me")):
        here = [link for link in links if request.path.startswith(link.url)]
        if here:
            max(here, key=lambda link: len(link.url)).current = True
    words = [Role(role).label for role in sorted(roles)] + (["Administrator"] if user.is_administrator else [])
    setup = setup_progress()
    return {
        "theme": user.theme,
        "theme_choices": THEMES,
        "campaigns": campaigns,
        "campaign": campaign,
        "links": links,
        "role_words": ", ".join(words) or "no role yet",
        "machine_faults": _faults_to_tell(user),
        "may_pause": campaign is not None and admits(ROWS["campaign_resume"], user, campaign),
        "unread_notices": count_unread(user),
        "setup": setup,
        "setup_runs": setup is not None and setup.running,
    }


def _faults_to_tell(user: User) -> list[Fault]:
    """Faults of the installation, for those who can get them fixed; cached for a few seconds."""
    if not admits(ROWS["system"], user, None):
        return []
    return recent_health(seconds=5).faults


def current_campaign(request: PageRequest, campaigns: list[Campaign] | None = None) -> Campaign | None:
    """The campaign of the address, else the last one used, else the first visible one."""
    named: Campaign | None = getattr(request, "campaign", None)  # not set on allauth's pages
    if named is not None:
        return named
    if campaigns is None:
        campaigns = list(visible_campaigns(request.user))
    last = request.session.get(SESSION_CAMPAIGN)
    return next((campaign for campaign in campaigns if campaign.slug == last), campaigns[0] if campaigns else None)


def _links(user: User, campaign: Campaign | None, roles: frozenset[str]) -> list[Link]:
    links: list[Link] = []

    def offer(name: str, word: str, icon: str, *, of_campaign: bool = True, **more: Any) -> None:
        if of_campaign and campaign is None:
            return
        if admits(ROWS[name], user, campaign):
            in_campaign = campaign is not None and ROWS[name].scope == "campaign"
            url = reverse(name, args=[campaign.slug]) if campaign is not None and in_campaign else reverse(name)
            links.append(Link(url, word, icon, **more))

    if Role.ANNOTATOR in roles:
        returned = work_list(user).filter(CAME_BACK, campaign=campaign).count()
        offer("worklist", "My work", "list-checks", count=returned, hot=True, count_means="returned")
    oversees = bool(roles & {Role.COORDINATOR, Role.DATA_MANAGER})
    if roles & {Role.REVIEWER, Role.ARBITRATOR}:
        waiting = review_queue(user, campaign).count() + arbitration_queue(user, campaign).count()
        offer("reviews", "Review queue", "scan-eye", count=waiting, count_means="wait")
    if oversees:
        offer("batches", "Batches", "layers")
        offer("dashboard", "Dashboard", "layout-dashboard")
        offer("scans", "Scans", "database")
        if not roles & {Role.REVIEWER, Role.ARBITRATOR}:
            offer("reviews", "Reviews", "scan-eye")
    waits = waiting_models(campaign).count() if oversees and campaign is not None else 0
    offer("models", "Models", "cpu", count=waits, hot=True, count_means="to decide on")
    if oversees:
        offer("releases", "Releases", "package")
    if oversees or user.is_administrator:
        running = visible_jobs(user).filter(state__in=[JobState.QUEUED, JobState.RUNNING]).count()
        offer("jobs", "Jobs", "activity", of_campaign=False, count=running, count_means="at work")
        offer("people", "People", "users", of_campaign=False)
    if user.is_administrator:
        offer("audit_log", "Log", "scroll-text", of_campaign=False)
    if not oversees and campaign is not None:
        offer("guidelines", "Guidelines", "book-open")
    if not links:
        offer("campaigns", "Campaigns", "folder-kanban", of_campaign=False)
    return links
