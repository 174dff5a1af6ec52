"""The checks of `manage.py doctor`: one function for each thing that must work."""

from annotation.upkeep.doctor.examining import CHECKS, examine
from annotation.upkeep.doctor.result import CheckResult, Health

__all__ = ["CHECKS", "CheckResult", "Health", "examine"]
