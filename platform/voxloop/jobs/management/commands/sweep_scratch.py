"""`manage.py sweep_scratch`: what workers do by themselves every few minutes."""

from typing import Any

from django.core.management.base import BaseCommand

from voxloop.jobs.scratch import sweep_scratch


class Command(BaseCommand):
    """Remove orphaned scratch on this machine."""

    help = "Remove what killed jobs, processes and requests left in the working folders; work in progress is safe."

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep once."""
        swept = sweep_scratch()
        self.stdout.write(f"Removed {swept.things} left-overs, {swept.bytes / 1e6:.1f} MB.")
