"""HTTP for retrieving (WADO-RS, PS3.18 10.4)."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from pydicom.uid import UID, ExplicitVRLittleEndian
from rest_framework.exceptions import ParseError

from annotation.datasets.freezing import signed_hash
from annotation.dicomweb.accept import (
    DICOM,
    HTJ2K,
    OCTETS,
    refusal,
    wants_frames,
    wants_json,
    wants_picture,
    wants_syntax,
)
from annotation.dicomweb.catalogue import Catalogue, HeldInstance, HeldSeries, open_catalogue
from annotation.dicomweb.images import check_slices, frame_of, image_file, stream_images, voxels_of
from annotation.dicomweb.metadata import frame_of_segmentation, metadata_of, pixel_data_of
from annotation.dicomweb.multipart import Part, answer_parts
from annotation.dicomweb.pictures import draw, read_look
from annotation.dicomweb.segmentations import stream_segmentation
from annotation.dicomweb.views import DicomView, answer_json, root_of
from annotation.scans.volumes import ready_volume
from voxloop.accounts.models import User
from voxloop.accounts.requests import Request
from voxloop.audit.services import record
from voxloop.kernel.errors import NotFound

MOST_FRAMES = 100  # in one request


def retrieve(request: Request, study: str, series: str | None = None) -> StreamingHttpResponse:
    """Every instance of a study or series, one after the other. Raises NotFound, NotAcceptable, Damaged, Conflict."""
    syntax, _ = wants_syntax(request)
    catalogue = open_catalogue(request.user, [study])
    held = catalogue.find(study, series)
    check_slices([one.scan for one in held if not one.mask])
    for one in held:
        if one.mask:
            signed_hash(one.mask.round, one.mask.layer, one.mask.approved, one.scan)
    _note(request.user, held)
    return answer_parts(_files(held, catalogue, syntax), DICOM, syntax)


def _files(held: Sequence[HeldSeries], catalogue: Catalogue, syntax: UID) -> Iterator[Part]:
    for one in held:
        if one.mask:
            size, blocks = stream_segmentation(one, catalogue)
            yield Part(_dicom(ExplicitVRLittleEndian), blocks, size)
            continue
        for file in stream_images(one.scan, catalogue.source_of_scan(one.scan), syntax):
            yield Part(_dicom(syntax), [file], len(file))


def _dicom(syntax: UID) -> str:
    return f"{DICOM}; transfer-syntax={syntax}"


def _note(user: User, held: Sequence[HeldSeries]) -> None:
    """Whole files leave: one entry for each scan. Frames alone are not noted, the metadata that leads to them is."""
    taken: dict[Any, list[HeldSeries]] = {}
    for one in held:
        taken.setdefault(one.scan.pk, []).append(one)
    with transaction.atomic():
        for parts in taken.values():
            record(
                actor=user,
                action="dicomweb.retrieved",
                target=parts[0].scan,
                new={"series": [one.uid for one in parts]},
            )


class RetrieveView(DicomView):
    """A series as files."""

    def get(self, request: Request, study: str, series: str) -> StreamingHttpResponse:
        return retrieve(request, study, series)


class InstanceView(DicomView):
    """One instance as a file."""

    def get(self, request: Request, study: str, series: str, instance: str) -> HttpResponse | StreamingHttpResponse:
        syntax, is_multipart = wants_syntax(request)
        catalogue, found = _find(request, study, series, instance)
        one = found.series
        if one.mask:
            syntax = ExplicitVRLittleEndian
            size, blocks = stream_segmentation(one, catalogue)
        else:
            file = image_file(one.scan, catalogue.source_of_scan(one.scan), found.k, syntax)
            size, blocks = len(file), iter([file])
        _note(request.user, [one])
        if is_multipart:
            return answer_parts([Part(_dicom(syntax), blocks, size)], DICOM, syntax)
        headers = {"Content-Length": str(size), "X-Content-Type-Options": "nosniff"}
        return StreamingHttpResponse(blocks, content_type=_dicom(syntax), headers=headers)


class MetadataView(DicomView):
    """Attributes of every instance of a study, series, or of one instance, without pixels."""

    def get(self, request: Request, study: str, series: str | None = None, instance: str | None = None) -> HttpResponse:
        media = wants_json(request)
        catalogue = open_catalogue(request.user, [study])
        held = catalogue.find(study, series)
        _note(request.user, held)
        root = root_of(request)
        if instance is not None:
            found = catalogue.find_instance(study, series or "", instance)
            return answer_json([metadata_of(found.series, catalogue, root)[found.k]], media)
        return answer_json([each for one in held for each in metadata_of(one, catalogue, root)], media)


class FramesView(DicomView):
    """Frames of an instance: a slice has one, a segmentation as many as it has filled slices and segments."""

    def get(self, request: Request, study: str, series: str, instance: str, frames: str) -> Any:
        syntax, is_multipart = wants_frames(request)
        numbers = _numbers(frames)
        catalogue, found = _find(request, study, series, instance)
        if found.series.mask:
            syntax = ExplicitVRLittleEndian
            bodies = frame_of_segmentation(found.series, catalogue, numbers)
        elif set(numbers) != {1}:
            raise NotFound("This instance has one frame, number 1.")
        else:
            bodies = [frame_of(found.series.scan, found.k, syntax)] * len(numbers)
        return _pixels(bodies, syntax, is_multipart=is_multipart)


class BulkDataView(DicomView):
    """The pixel data of an instance, to which its metadata refer."""

    def get(self, request: Request, study: str, series: str, instance: str) -> Any:
        syntax, is_multipart = wants_frames(request)
        catalogue, found = _find(request, study, series, instance)
        if found.series.mask:
            return _pixels([pixel_data_of(found.series, catalogue)], ExplicitVRLittleEndian, is_multipart=is_multipart)
        return _pixels([frame_of(found.series.scan, found.k, syntax)], syntax, is_multipart=is_multipart)


class PictureView(DicomView):
    """A slice as JPEG or PNG, in a window; a thumbnail of a study or series shows its middle slice."""

    is_thumbnail = False

    def get(
        self,
        request: Request,
        study: str,
        series: str | None = None,
        instance: str | None = None,
        frames: str = "1",
    ) -> HttpResponse:
        media = wants_picture(request)
        look = read_look(request.query_params, is_thumbnail=self.is_thumbnail)
        catalogue = open_catalogue(request.user, [study])
        if instance is None:
            one = next((each for each in catalogue.find(study, series) if not each.mask), None)
            k = one.count // 2 if one else 0
        else:
            found = catalogue.find_instance(study, series or "", instance)
            one, k = (None if found.series.mask else found.series), found.k
        if one is None:
            raise refusal("A segmentation has no picture of its own; ask for one of its scan's series.")
        if set(_numbers(frames)) != {1}:
            raise NotFound("This instance has one frame, number 1.")
        spacing = ready_volume(one.scan).spacing_mm_zyx[1:]
        return HttpResponse(draw(voxels_of(one.scan, k), spacing, look, media), content_type=media)


def _find(request: Request, study: str, series: str, instance: str) -> tuple[Catalogue, HeldInstance]:
    catalogue = open_catalogue(request.user, [study])
    return catalogue, catalogue.find_instance(study, series, instance)


def _numbers(text: str) -> list[int]:
    """A list of frames of an address, from 1. Raises ParseError (`bad_frames`)."""
    words = text.split(",")
    if len(words) > MOST_FRAMES or not all(word.isdecimal() and word.isascii() and len(word) < 9 for word in words):
        raise ParseError(f"Frames are numbers from 1, at most {MOST_FRAMES} in a request.", code="bad_frames")
    return [int(word) for word in words]


def _pixels(bodies: Sequence[bytes], syntax: UID, *, is_multipart: bool) -> HttpResponse | StreamingHttpResponse:
    media = HTJ2K if syntax.is_encapsulated else OCTETS
    kind = f"{media}; transfer-syntax={syntax}"
    if is_multipart or len(bodies) > 1:
        return answer_parts([Part(kind, [body], len(body)) for body in bodies], media, syntax)
    return HttpResponse(bodies[0], content_type=kind, headers={"X-Content-Type-Options": "nosniff"})
