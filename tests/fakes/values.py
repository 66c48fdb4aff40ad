"""What every vendor reads the same way: e-mail addresses and times."""

from __future__ import annotations

import re
from datetime import UTC, datetime

EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)


def is_address(text: str) -> bool:
    return len(text) <= 254 and EMAIL.fullmatch(text) is not None


def read_time(value: str) -> float | None:
    """Epoch seconds of an ISO time (UTC unless it says otherwise), or None."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
