"""Connects this app to the hooks of lower apps. Imported by AppConfig.ready."""

from annotation.intake.services import on_labels
from annotation.masks.erasing import PART
from annotation.masks.keeping import KEPT
from annotation.masks.schema_uses import count_masks_and_answers
from annotation.masks.services import attach_imported_mask
from annotation.scans.erasing import on_erasure
from annotation.work.schema_uses import on_schema_uses
from voxloop.keeping.registry import register

on_labels(attach_imported_mask)
on_erasure(PART)
on_schema_uses(count_masks_and_answers)
register(*KEPT)
