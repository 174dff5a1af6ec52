"""A sheet that was read and waits for its mapping, in the object store beside other uploads and swept like them: no
part of it is in the database, in a back-up or in a log before it is stored as records."""

import json
from typing import Any

from django.conf import settings

from annotation.intake.clinical.sheet import Sheet
from annotation.intake.uploads import PREFIX, discard_unwanted_upload
from voxloop.child import from_json, to_json
from voxloop.kernel.errors import Invalid, NotFound
from voxloop.storage.store import open_store


def keep_sheet(sheet: Sheet) -> str:
    """Store a sheet; returns its key. Raises NoSpace, StorageAway."""
    return open_store(settings.STORAGE_URL).put(PREFIX, json.dumps(to_json(sheet)).encode())


def fetch_sheet(key: str) -> Sheet:
    """The sheet of a key. Raises Invalid (`no_such_file`) when it was swept."""
    try:
        document: Any = json.loads(open_store(settings.STORAGE_URL).get(key))
    except NotFound as error:
        raise Invalid("The sheet is gone; send it again.", code="no_such_file") from error
    return from_json(Sheet, document)


def forget_sheet(key: str) -> None:
    """Delete it."""
    discard_unwanted_upload(key)
