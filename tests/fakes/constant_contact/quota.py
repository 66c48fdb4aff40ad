"""What one application may call: so many a second, so many a day, over all accounts connected to it."""

from __future__ import annotations

import threading
from collections import Counter, deque
from datetime import UTC, datetime
from typing import Any

from tests.fakes.constant_contact.errors import quota_exceeded, throttled
from tests.fakes.constant_contact.options import Options


def day_of(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


class Quota:
    """The counters of every application. A refused call does not count. Nobody is told when to come back."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.day = ""
        self.used: Counter[str] = Counter()
        self._recent: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, client_id: str, now: float) -> None:
        """Count one call, or refuse it. A new day starts at 00:00 UTC."""
        with self._lock:
            self._begin_day(now)
            recent = self._recent.setdefault(client_id, deque())
            # A clock that was set back must not block for ever.
            while recent and not 0 <= now - recent[0] < self.options.window_s:
                recent.popleft()
            if self.options.per_second and len(recent) >= self.options.per_second:
                raise throttled()
            if self.options.per_day and self.used[client_id] >= self.options.per_day:
                raise quota_exceeded()
            recent.append(now)
            self.used[client_id] += 1

    def used_today(self, client_id: str, now: float) -> int:
        with self._lock:
            self._begin_day(now)
            return self.used[client_id]

    def spend(self, client_id: str, calls: int, now: float) -> None:
        """As if so many calls had been made today."""
        with self._lock:
            self._begin_day(now)
            self.used[client_id] = calls

    def forget(self) -> None:
        with self._lock:
            self.day, self.used, self._recent = "", Counter(), {}

    def written(self) -> dict[str, Any]:
        with self._lock:
            return {"day": self.day, "used": dict(self.used)}

    def read(self, data: dict[str, Any]) -> None:
        self.day, self.used = data["day"], Counter(data["used"])

    def _begin_day(self, now: float) -> None:
        if self.day != (today := day_of(now)):
            self.day, self.used = today, Counter()
