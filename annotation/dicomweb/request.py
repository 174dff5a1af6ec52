"""Requests and results of the processes of DICOMweb. Web processes import this, and no library of images."""

from __future__ import annotations

from typing import Any

from voxloop.child import Document

LABELS, FILE = "labels", "segmentation.dcm"


class SegmentRequest(Document, frozen=True):
    """A labelmap (uint8 zyx, raw in the file `labels`) and what a segmentation of it tells."""

    shape_zyx: list[int]
    spacing_mm_zyx: list[float]
    lps_from_ijk: list[list[float]]
    subject: str
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    instance_uids: list[str]
    layer: dict[str, Any]
    identity: str
    created_at: str
    software: str
    creator: str


class SegmentResult(Document, frozen=True):
    """The length of the written file in bytes."""

    bytes: int


class LookRequest(Document, frozen=True):
    """Files to look at."""

    paths: list[str]


class Looked(Document, frozen=True):
    """One file: its name, its UIDs (empty where they are missing or malformed), and why it is refused."""

    name: str
    class_uid: str = ""
    uid: str = ""
    study_uid: str = ""
    series_uid: str = ""
    code: str = ""
    sentence: str = ""

    def refuse(self, code: str, sentence: str) -> Looked:
        """The same file, refused."""
        return Looked(self.name, self.class_uid, self.uid, self.study_uid, self.series_uid, code, sentence)


class LookResult(Document, frozen=True):
    """Every file, in the order of the request."""

    files: tuple[Looked, ...]
