"""Where uploads lie while they come in: in the working folder, where what a killed process leaves is swept."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler


class SpooledFile(TemporaryUploadedFile):
    """A temporary upload in a folder that is made when the first one comes (Django asks for one that is there)."""

    def __init__(self, name: str, content_type: str, size: int, charset: str, extra: Any = None) -> None:
        folder = Path(settings.WORK_DIR) / "spool"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=folder)  # noqa: SIM115 - closed with the upload
        UploadedFile.__init__(self, file, name, content_type, size, charset, extra)


class SpoolHandler(TemporaryFileUploadHandler):
    """Django's handler for files on disk, with files of ours."""

    def new_file(self, *arguments: Any, **options: Any) -> None:
        """Begin a file. An OSError (the disk is full) passes on."""
        FileUploadHandler.new_file(self, *arguments, **options)
        self.file = SpooledFile(self.file_name, self.content_type, 0, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a part. An OSError (the disk is full) passes on, and nothing is left of the file."""
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError:
            with contextlib.suppress(OSError):  # closing writes what is held back, and finds the disk as full
                self.file.close()
            Path(self.file.temporary_file_path()).unlink(missing_ok=True)
            raise
