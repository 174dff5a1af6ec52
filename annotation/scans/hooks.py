"""Connects this app to the hooks of lower apps. Imported by AppConfig.ready."""

from annotation.scans.keeping import KEPT
from voxloop.keeping.registry import register

register(*KEPT)
