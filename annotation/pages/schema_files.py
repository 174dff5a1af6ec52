"""Reads the file of a label schema that somebody sends on a page."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from annotation.work.schema import parse_schema
from voxloop.kernel.documents import find_fault
from voxloop.kernel.errors import Invalid

LARGEST_SCHEMA_BYTES = 256 << 10


def read_schema_file(file: "UploadedFile[Any]") -> Any:
    """The checked definition in a file. Raises ValidationError with what is wrong, one sentence."""
    if (file.size or 0) > LARGEST_SCHEMA_BYTES:
        raise ValidationError(f"A label schema has at most {LARGEST_SCHEMA_BYTES >> 10} KiB.")
    try:
        definition = json.loads(file.read().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValidationError(f"This is not JSON: {error.msg}, line {error.lineno}.") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, a number of thousands of digits, too deep
        raise ValidationError("This is not a label schema as JSON in UTF-8.") from error
    if fault := find_fault(definition):
        raise ValidationError(fault.replace("The body", "The file"))
    try:
        parse_schema(definition)
    except Invalid as refusal:
        raise ValidationError(refusal.detail) from refusal
    return definition
