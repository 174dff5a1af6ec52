"""Connects this app to the hooks of lower apps. Imported by AppConfig.ready."""

from annotation.reporting.erasing import PART
from annotation.reporting.models import ReportSet
from annotation.scans.erasing import on_erasure
from voxloop.keeping.registry import ObjectKind, register

on_erasure(PART)
register(ObjectKind("reports", ReportSet.objects.all, "key"))
