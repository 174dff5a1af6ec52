"""Jobs a person may see."""

from django.db.models import QuerySet

from voxloop.accounts.models import User
from voxloop.jobs.models import Job


def visible_jobs(user: User) -> QuerySet[Job]:
    """One's own jobs; an administrator sees all. What a campaign's jobs did is shown on its own pages."""
    if user.is_administrator:
        return Job.objects.all()
    return Job.objects.filter(requested_by=user)
