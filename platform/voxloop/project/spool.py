"""Uploads are spooled in the scratch folder, where leftovers of a killed process are swept."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler


class SpooledFile(TemporaryUploadedFile):
    """A temporary upload; creates its folder on first use (Django requires an existing one)."""

    def __init__(
        self, name: str | None, content_type: str | None, size: int, charset: str | None, extra: Any = None
    ) -> None:
        folder = Path(settings.WORK_DIR) / "spool"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=folder)  # noqa: SIM115 - closed with the upload
        UploadedFile.__init__(self, file, name, content_type, size, charset, extra)


class SpoolHandler(TemporaryFileUploadHandler):
    """Django's handler of uploads on disk, with `SpooledFile`."""

    def new_file(self, *arguments: Any, **options: Any) -> None:
        """Begin a file. Raises OSError (disk full)."""
        FileUploadHandler.new_file(self, *arguments, **options)
        self.file = SpooledFile(self.file_name, self.content_type, 0, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Store a part. Raises OSError (disk full) after deleting the file."""
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError:
            with contextlib.suppress(OSError):  # closing flushes the buffer, which fails again
                self.file.close()
            Path(self.file.temporary_file_path()).unlink(missing_ok=True)
            raise
