"""Connects this app to the hooks of lower apps. Imported by AppConfig.ready."""

from annotation.scans.erasing import on_erasure
from annotation.scans.services import on_withdrawn
from annotation.work.eligibility.judging import judge_without
from annotation.work.erasing import PART
from annotation.work.withdrawing import end_work

on_withdrawn(end_work)
on_withdrawn(judge_without)
on_erasure(PART)
