"""The answer to STOW-RS (PS3.18 10.5.3 and annex I): which instances wait for their import, and which were refused."""

import json
from collections.abc import Sequence
from xml.etree import ElementTree

from django.http import HttpResponse
from django.urls import reverse
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset

from annotation.dicomweb.accept import JSON, refusal
from annotation.dicomweb.request import Looked
from annotation.dicomweb.storing import Received
from annotation.dicomweb.views import root_of
from voxloop.accounts.requests import Request
from voxloop.kernel.errors import CODE_HEADER

XML = "application/dicom+xml"
COERCED = 0xB000  # Coercion of Data Elements: every UID is replaced by a code of the campaign (docs/adr/0020)
REASONS = {"unreadable": 0xC000, "not_dicom": 0xC000, "no_instance": 0xC000, "other_study": 0xA900}
NOT_TAKEN = 0x0110  # Processing failure: the sentence is in the Warning header
MOST_SENTENCES = 5


def answer_received(received: Received, request: Request, media: str) -> HttpResponse:
    """202 while a job has what was sent: nothing is stored yet, and what will be has other UIDs. 409 when every
    instance was refused."""
    told = Dataset()
    if received.accepted:
        told.ReferencedSOPSequence = [_item(one, "WarningReason", COERCED) for one in received.accepted]
    if failed := [one for one in received.refused if one.uid]:
        told.FailedSOPSequence = [_item(one, "FailureReason", REASONS.get(one.code, NOT_TAKEN)) for one in failed]
    if nameless := [one for one in received.refused if not one.uid]:
        told.OtherFailuresSequence = [_reason(REASONS.get(one.code, NOT_TAKEN)) for one in nameless]
    body = json.dumps(told.to_json_dict()) if media != XML else _xml(told)
    answer = HttpResponse(body, status=202 if received.job else 409, content_type=media)
    if received.job:
        answer["Location"] = request.build_absolute_uri(reverse("api:job", args=[received.job.pk]))
    else:
        answer[CODE_HEADER] = "instances_refused"  # the body is that of the standard, not a problem document
    if sentences := _sentences(received.refused):
        answer["Warning"] = ", ".join(f'299 {root_of(request)}: "{sentence}"' for sentence in sentences)
    return answer


def wants_answer(ranges: Sequence[str]) -> str:
    """The type of the answer. Raises NotAcceptable."""
    for media in ranges:
        if media in (JSON, "application/json", XML):
            return media
        if media in ("*/*", "application/*"):
            return JSON
    raise refusal("The answer is application/dicom+json or application/dicom+xml.")


def _item(one: Looked, keyword: str, reason: int) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.class_uid, one.uid
    setattr(item, keyword, reason)
    return item


def _reason(reason: int) -> Dataset:
    item = Dataset()
    item.FailureReason = reason
    return item


def _sentences(refused: Sequence[Looked]) -> list[str]:
    counts: dict[str, int] = {}
    for one in refused:
        counts[one.sentence] = counts.get(one.sentence, 0) + 1
    told = [f"{count} refused: {sentence}" for sentence, count in counts.items()]
    return [sentence.replace('"', "'") for sentence in told[:MOST_SENTENCES]]


def _xml(told: Dataset) -> bytes:
    """The Native DICOM Model (PS3.19 A.1)."""
    root = ElementTree.Element("NativeDicomModel")
    _fill(root, told)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _fill(parent: ElementTree.Element, dataset: Dataset) -> None:
    for element in dataset:
        keyword = keyword_for_tag(element.tag)
        names = {"tag": f"{int(element.tag):08X}", "vr": dictionary_VR(element.tag), "keyword": keyword}
        attribute = ElementTree.SubElement(parent, "DicomAttribute", names)
        if element.VR == "SQ":
            for number, item in enumerate(element.value, start=1):
                _fill(ElementTree.SubElement(attribute, "Item", {"number": str(number)}), item)
        else:
            ElementTree.SubElement(attribute, "Value", {"number": "1"}).text = str(element.value)
