"""Where uploads lie while they come in: in the working folder, where what a killed process leaves is swept."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler


class SpoolHandler(TemporaryFileUploadHandler):
    """Django's handler for files on disk; it makes the folder that it writes to."""

    def new_file(self, *arguments: Any, **options: Any) -> None:
        """Begin a file. An OSError (the disk is full) passes on."""
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)
        super().new_file(*arguments, **options)
