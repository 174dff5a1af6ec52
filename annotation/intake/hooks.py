"""Connects this app to the hooks of lower apps. Imported by AppConfig.ready."""

from annotation.intake.uploads import discard_upload
from voxloop.jobs.ending import on_end

on_end(discard_upload)
