"""Refuse a file that is too large while it is still coming, instead of keeping all of it first."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class NoLargerThanAllowed(FileUploadHandler):
    """Comes first among the handlers; the page that took the form says why there is no file."""

    size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.size += len(raw_data)
        if self.size > settings.IMPORT_MAX_MB * 2**20:
            self.request.upload_is_too_large = True  # type: ignore[union-attr]
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The handlers after this one keep it."""
