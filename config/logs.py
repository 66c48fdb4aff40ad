"""Structured logs: one JSON object a line, without secrets and without donors' data."""

import json
import logging
import re
from datetime import UTC, datetime

from integrations.provider_kit.http import scrub

STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request", "taskName"}
# Of a vendor's messages, of a new password, of an invitation.
KEYS_IN_PATHS = re.compile(r"(/hooks/\w+/|/forgotten/\w+/|/join/)[\w-]+")
ROW = re.compile(r"DETAIL: .*?(?=\n\n(?:The above|During handling)|\Z)", re.DOTALL)  # what databases quote of a row
EMAIL_ADDRESS = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")  # databases quote the row that they refuse


def without_private(text: str) -> str:
    """The same text with keys, passwords and people's addresses blotted out."""
    return EMAIL_ADDRESS.sub("…@…", KEYS_IN_PATHS.sub(r"\1…", scrub(ROW.sub("DETAIL: …", text))))


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message and whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        } | {k: v for k, v in vars(record).items() if k not in STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        plain = {k: v if isinstance(v, int | float | None) else without_private(str(v)) for k, v in line.items()}
        return json.dumps(plain)
