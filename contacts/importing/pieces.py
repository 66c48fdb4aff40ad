"""The uploaded file in the database: written and read a piece at a time, so that nobody holds all of it."""

import io
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from contacts.importing.trouble import Unreadable
from contacts.models import Import, ImportPiece

SIZE = 512 * 1024
GONE = "The file is no longer kept. Upload it again."

Opener = Callable[[], BinaryIO]


def store(data_import: Import, chunks: Iterable[bytes]) -> None:
    """Keep the file."""
    number, waiting = 0, b""
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= SIZE:
            ImportPiece.objects.create(data_import=data_import, number=number, content=waiting[:SIZE])
            number, waiting = number + 1, waiting[SIZE:]
    if waiting or not number:
        ImportPiece.objects.create(data_import=data_import, number=number, content=waiting)


class Stored(io.RawIOBase):
    """The pieces as a file that is read from front to back."""

    def __init__(self, data_import: Import) -> None:
        self.rows = ImportPiece.objects.filter(data_import=data_import).values_list("content", flat=True)
        self.number = -1
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.rest:
            self.number += 1
            content = self.rows.filter(number=self.number).first()
            if content is None and self.number == 0:
                raise Unreadable(GONE)
            self.rest = bytes(content or b"")
        taken = self.rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self.rest = self.rest[len(taken) :]
        return len(taken)


def opener(data_import: Import) -> Opener:
    """Opens the kept file, as often as it is asked."""
    return lambda: io.BufferedReader(Stored(data_import), buffer_size=64 * 1024)
