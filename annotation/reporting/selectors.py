"""Quantities and sets of reports that a person may see: those of campaigns that they oversee, of scans they may see."""

from uuid import UUID

from django.db.models import QuerySet

from annotation.reporting.models import Measurement, ReportSet
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.permissions import OVERSEERS, campaigns_with_role
from annotation.work.selectors import visible_batches, visible_scans
from voxloop.accounts.models import User
from voxloop.kernel.errors import NotFound


def visible_measurements(user: User) -> QuerySet[Measurement]:
    """Finished quantities of ready scans, without their pictures. Readers see none: they tell what others drew."""
    rows = Measurement.objects.filter(fault="", scan__state=ScanState.READY, scan__in=visible_scans(user))
    if not user.is_administrator:
        rows = rows.filter(campaign__in=campaigns_with_role(user, *OVERSEERS))
    related = ("campaign__schema", "scan__site", "scan__subject", "scan__series__study", "revision", "anatomy")
    rows = rows.select_related(*related, "prediction", "round__author", "round__reviewer")
    return rows.defer("surface_png", "slice_png").order_by("scan__code", "-measured_at")


def find_measurement(measurement_id: UUID, user: User) -> Measurement:
    """One of them. Raises NotFound."""
    found = visible_measurements(user).filter(pk=measurement_id).first()
    if found is None:
        raise NotFound
    return found


def measurement_of(scan: Scan, user: User) -> Measurement | None:
    """The newest quantities of a scan."""
    return visible_measurements(user).filter(scan=scan).order_by("-measured_at").first()


def visible_sets(user: User) -> QuerySet[ReportSet]:
    """One's own sets of reports: they hold the scans that this person may see, of a campaign that they oversee."""
    rows = ReportSet.objects.filter(created_by=user, batch__in=visible_batches(user))
    rows = rows.filter(batch__campaign__in=campaigns_with_role(user, *OVERSEERS))
    return rows.select_related("batch__campaign", "job")
