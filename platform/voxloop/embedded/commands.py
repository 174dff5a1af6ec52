"""The commands of the background processes, the same in `manage.py demo`, the tests and docker/compose.yaml."""

WORKERS = (("default-1", "default"), ("default-2", "default"), ("ml-1", "ml"))
CELERY = ("celery", "-A", "voxloop.project")


def worker_command(name: str, queue: str) -> list[str]:
    """A Celery worker: one process with one thread for work, so that no worker can hang because another died."""
    return [
        *CELERY,
        "worker",
        "-Q",
        queue,
        "-n",
        f"{name}@%h",
        "--pool",
        "threads",
        "--concurrency",
        "1",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        "--loglevel",
        "INFO",
    ]


def beat_command() -> list[str]:
    """The scheduler (beat); there is one."""
    return [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="]
