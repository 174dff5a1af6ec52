"""Connects this app to the hooks of lower apps. Imported by AppConfig.ready."""

from annotation.reviews.arbitrators import end_arbitrations, give_back_arbitrations, was_arbitrated
from annotation.reviews.certificates import stands_for_others
from annotation.reviews.claims import end_rounds, give_back_claims
from annotation.reviews.erasing import PART
from annotation.reviews.taking_back import on_verdict_taken_back
from annotation.scans.erasing import on_erasure
from annotation.scans.services import on_withdrawn
from annotation.work.people import on_closed

on_withdrawn(end_rounds)
on_withdrawn(end_arbitrations)
on_closed(give_back_claims)
on_closed(give_back_arbitrations)
on_verdict_taken_back(was_arbitrated)
on_verdict_taken_back(stands_for_others)
on_erasure(PART)
