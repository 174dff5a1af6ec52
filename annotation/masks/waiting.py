"""A mask file that was read and waits for its mapping, in the object store beside other uploads and swept like them: it
is nobody's yet, and no revision."""

import base64
import json
from typing import Any

from django.conf import settings

from annotation.intake.uploads import PREFIX, discard_unwanted_upload
from annotation.masks.elsewhere import ReadMask
from annotation.masks.foreign.found import ForeignLabel
from voxloop.kernel.errors import Invalid, NotFound
from voxloop.storage.store import open_store


def keep_read(found: ReadMask) -> str:
    """Store what was read; returns its key. Raises NoSpace, StorageAway."""
    document: dict[str, Any] = {
        "format": found.format,
        "software": found.software,
        "labels": [[label.value, label.name, label.voxels] for label in found.labels],
        "messages": [base64.b64encode(message).decode() for message in found.messages],
        "is_resampled": found.is_resampled,
        "threshold": found.threshold,
        "sha256": found.sha256,
    }
    return open_store(settings.STORAGE_URL).put(PREFIX, json.dumps(document).encode())


def fetch_read(key: str) -> ReadMask:
    """What was read. Raises Invalid (`no_such_file`) when it was swept."""
    try:
        document = json.loads(open_store(settings.STORAGE_URL).get(key))
    except NotFound as error:
        raise Invalid("The file that was read is gone; send it again.", code="no_such_file") from error
    labels = tuple(ForeignLabel(*label) for label in document.pop("labels"))
    messages = tuple(base64.b64decode(message) for message in document.pop("messages"))
    return ReadMask(labels=labels, messages=messages, **document)


def forget_read(key: str) -> None:
    """Delete it."""
    discard_unwanted_upload(key)
