"""What `manage.py doctor` looks at: one small function for each thing that must work."""

from annotation.upkeep.doctor.examining import CHECKS, examine
from annotation.upkeep.doctor.finding import Finding, Health

__all__ = ["CHECKS", "Finding", "Health", "examine"]
