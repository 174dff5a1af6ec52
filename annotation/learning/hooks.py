"""Connects this app to the hooks of lower apps. Imported by AppConfig.ready."""

from annotation.learning.erasing import PART
from annotation.learning.keeping import KEPT
from annotation.learning.prepared import trim_prepared
from annotation.learning.running import end_with_job
from annotation.learning.schema_uses import count_models
from annotation.learning.selectors import is_learned_from
from annotation.learning.services import stop_learning
from annotation.reviews.taking_back import on_verdict_taken_back
from annotation.scans.erasing import on_erasure
from annotation.scans.services import on_withdrawn
from annotation.work.schema_uses import on_schema_uses
from voxloop.jobs.ending import on_end
from voxloop.jobs.scratch import on_sweep
from voxloop.keeping.registry import register

on_end(end_with_job)
on_sweep(trim_prepared)
on_withdrawn(stop_learning)
on_verdict_taken_back(is_learned_from)
on_erasure(PART)
on_schema_uses(count_models)
register(*KEPT)
