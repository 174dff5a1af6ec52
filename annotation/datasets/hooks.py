"""Connects this app to the hooks of lower apps. Imported by AppConfig.ready."""

from annotation.datasets.erasing import PART
from annotation.datasets.keeping import KEPT
from annotation.datasets.selectors import is_in_frozen_release
from annotation.reviews.taking_back import on_verdict_taken_back
from annotation.scans.erasing import on_erasure
from voxloop.keeping.registry import register

on_erasure(PART)
on_verdict_taken_back(is_in_frozen_release)
register(*KEPT)
