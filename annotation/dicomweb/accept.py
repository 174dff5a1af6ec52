"""Which representation a client asks for: the Accept header, and `accept` of the query (PS3.18 8.7.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.http import parse_header_parameters
from pydicom.uid import UID, ExplicitVRLittleEndian, HTJ2KLossless
from rest_framework.exceptions import NotAcceptable

from voxloop.accounts.requests import Request

JSON, DICOM, OCTETS, HTJ2K = "application/dicom+json", "application/dicom", "application/octet-stream", "image/jphc"
MULTIPART = "multipart/related"
ANY = "*"
MOST = 4096  # characters of the header


@dataclass(frozen=True)
class Asked:
    """One media range of an Accept header: `multipart` and the type of its parts, or a type alone."""

    media: str
    is_multipart: bool
    syntax: str = ""
    quality: float = 1.0
    parameters: Mapping[str, str] = field(default_factory=dict)


def ranges_of(request: Request) -> list[Asked]:
    """The media ranges that the client accepts, the best first; anything at all when it says nothing."""
    text = request.query_params.get("accept") or request.headers.get("Accept") or "*/*"
    found = [_range(part) for part in _split(text[:MOST])]
    return sorted((one for one in found if one.quality > 0), key=lambda one: -one.quality)


def wants_json(request: Request) -> str:
    """The type in which a JSON answer goes out. Raises NotAcceptable (`not_acceptable`)."""
    for asked in ranges_of(request):
        if asked.is_multipart:
            continue
        if asked.media in (JSON, "application/*", "*/*"):
            return JSON
        if asked.media == "application/json":
            return "application/json"
    raise refusal("This address answers application/dicom+json; XML is not offered.")


def wants_syntax(request: Request) -> tuple[UID, bool]:
    """Transfer syntax of whole instances, and whether they go out as multipart (a single one need not). Raises
    NotAcceptable."""
    for asked in ranges_of(request):
        is_ours = asked.media in (DICOM, "*/*", "application/*")
        if is_ours and (syntax := _syntax(asked.syntax, (ExplicitVRLittleEndian, HTJ2KLossless))):
            return syntax, asked.is_multipart or asked.media != DICOM
    raise refusal(
        'This address answers multipart/related; type="application/dicom", as Explicit VR Little Endian '
        "(1.2.840.10008.1.2.1) or HTJ2K Lossless (1.2.840.10008.1.2.4.201)."
    )


def wants_frames(request: Request) -> tuple[UID, bool]:
    """Transfer syntax of frames, and whether as multipart. Raises NotAcceptable."""
    for asked in ranges_of(request):
        may_be_single = asked.media in (OCTETS, HTJ2K)
        if asked.media in (OCTETS, "*/*", "application/*"):
            native = _syntax(asked.syntax, (ExplicitVRLittleEndian, HTJ2KLossless))
            if native:
                return native, asked.is_multipart or not may_be_single
        if asked.media in (HTJ2K, "image/*") and _syntax(asked.syntax or ANY, (HTJ2KLossless,)):
            return HTJ2KLossless, asked.is_multipart or not may_be_single
    raise refusal(
        'Frames go out as multipart/related; type="application/octet-stream" (Explicit VR Little Endian) or '
        'type="image/jphc"; transfer-syntax=1.2.840.10008.1.2.4.201 (HTJ2K Lossless).'
    )


def wants_picture(request: Request) -> str:
    """image/jpeg (the default) or image/png. Raises NotAcceptable."""
    for asked in ranges_of(request):
        if asked.media in ("image/jpeg", "image/png") and not asked.is_multipart:
            return asked.media
        if asked.media in ("*/*", "image/*"):
            return "image/jpeg"
    raise refusal("A rendered picture is image/jpeg or image/png.")


def refusal(sentence: str) -> NotAcceptable:
    """The refusal of what is not offered."""
    return NotAcceptable(sentence, code="not_acceptable")


def _syntax(asked: str, offered: Sequence[UID]) -> UID | None:
    """The first offered for none and for any; None where another one is asked for."""
    if asked in ("", ANY):
        return offered[0]
    return next((one for one in offered if one == asked), None)


def _range(text: str) -> Asked:
    name, parameters = parse_header_parameters(text)
    name = name.strip().lower()
    try:
        quality = min(1.0, max(0.0, float(parameters.get("q", "1"))))
    except ValueError:
        quality = 0.0
    syntax = parameters.get("transfer-syntax", "").strip()
    if name == MULTIPART:
        return Asked(parameters.get("type", "*/*").strip().lower(), True, syntax, quality, parameters)
    return Asked(name, False, syntax, quality, parameters)


def _split(text: str) -> list[str]:
    """The parts between commas that are not inside quotation marks."""
    parts, inside = [""], False
    for sign in text:
        inside ^= sign == '"'
        if sign == "," and not inside:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]
