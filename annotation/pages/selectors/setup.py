"""How far the set-up of the demonstration is, for everybody who logs in while it fills itself in."""

from dataclasses import dataclass

from voxloop.jobs.models import Job

KEY_PREFIX = "setup:"


@dataclass
class Progress:
    """The set-up's jobs taken together."""

    running: bool
    percent: int
    message: str
    detail: str


def setup_progress() -> Progress | None:
    """Progress of the jobs whose key begins with `setup:`; None when there never was one."""
    jobs = list(Job.objects.filter(key__startswith=KEY_PREFIX).order_by("created_at"))
    if not jobs:
        return None
    live = [job for job in jobs if job.state in ("queued", "running")]
    percent = sum(100 if job.state == "succeeded" else job.progress for job in jobs) // len(jobs)
    now_at = next((job for job in live if job.state == "running"), live[0] if live else None)
    done = sum(job.state == "succeeded" for job in jobs)
    return Progress(
        running=bool(live),
        percent=percent if live else 100,
        message=f"{now_at.get_kind_display()}: {now_at.message}" if now_at else "The demonstration is complete",
        detail=f"{done} of {len(jobs)} steps done." if len(jobs) > 1 else "",
    )
