"""What was called: a log that forgets the oldest, and a gate that counts calls in progress."""

from __future__ import annotations

import threading
from collections import Counter, deque
from itertools import islice
from typing import Any


class CallLog:
    """The last calls, numbered from 0. Headers and bodies are never kept: they hold secrets."""

    def __init__(self, keep: int = 200_000) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=keep)
        self._total = 0
        self._lock = threading.Lock()

    def add(self, entry: dict[str, Any]) -> None:
        with self._lock:
            entry["index"] = self._total
            self._total += 1
            self._entries.append(entry)

    def since(self, index: int = 0) -> list[dict[str, Any]]:
        with self._lock:
            first = self._total - len(self._entries)
            return list(islice(self._entries, max(0, index - first), None))

    def last(self, count: int) -> list[dict[str, Any]]:
        """The newest calls, newest first."""
        with self._lock:
            return list(islice(reversed(self._entries), count))

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._total = 0


class Gate:
    """Lets at most ``limit`` calls of one account be in progress together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, account: str) -> bool:
        with self._lock:
            if self._open[account] >= self.limit:
                return False
            self._open[account] += 1
            return True

    def leave(self, account: str) -> None:
        with self._lock:
            self._open[account] -= 1
