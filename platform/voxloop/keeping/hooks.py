"""Connects this app to the hooks of lower apps. Imported by AppConfig.ready."""

from voxloop.jobs.ending import on_refusal
from voxloop.keeping.services import note_refused_job

on_refusal(note_refused_job)
