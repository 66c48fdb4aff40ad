"""The courier: carries webhook calls to their receivers in the background, and tries again."""

from __future__ import annotations

import contextlib
import heapq
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


# No proxies: the receiver is on this machine or on the test network.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


def call(url: str, data: bytes | None = None, headers: dict[str, str] | None = None, timeout: float = 10) -> int:
    """Call a receiver (GET without data); its status, or 0 when there was no answer."""
    try:
        request = urllib.request.Request(url, data, headers or {})
        with _opener.open(request, timeout=timeout) as response:
            response.read(65536)
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (OSError, ValueError):
        return 0
    except Exception:  # noqa: BLE001 - http.client raises its own family for garbage answers
        return 0


@dataclass(slots=True)
class Parcel:
    """One thing to tell one receiver."""

    url: str
    body: bytes
    headers: Callable[[bytes], dict[str, str]]
    about: dict[str, Any]
    delays: Sequence[float]
    wanted: Callable[[], bool] = lambda: True
    answered: Callable[[int], None] = lambda status: None
    attempts: int = field(default=0)
    era: int = field(default=0)


class Courier:
    """A few threads and a queue ordered by when each parcel is due."""

    def __init__(self, threads: int = 4, timeout_s: float = 10.0) -> None:
        self.timeout_s = timeout_s
        self._size = threads
        self._queue: list[tuple[float, int, Parcel]] = []
        self._order = count()
        self._in_hand = 0
        self._era = 0  # moves with every clear, so that what was in hand then is not retried
        self._ready = threading.Condition()
        self._stopped = False
        self._threads: list[threading.Thread] = []
        self._log: deque[dict[str, Any]] = deque(maxlen=2000)

    def send(self, parcel: Parcel) -> None:
        with self._ready:
            if not self._threads and not self._stopped:
                self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(self._size)]
                for thread in self._threads:
                    thread.start()
            parcel.era = self._era
            heapq.heappush(self._queue, (time.monotonic(), next(self._order), parcel))
            self._ready.notify()

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is left to deliver; False when it took too long."""
        with self._ready:
            return self._ready.wait_for(lambda: not self._queue and not self._in_hand, timeout)

    def last(self, number: int) -> list[dict[str, Any]]:
        """The newest attempts, newest first."""
        with self._ready:
            return list(islice(reversed(self._log), number))

    def clear(self) -> None:
        with self._ready:
            self._era += 1
            self._queue.clear()
            self._log.clear()
            self._ready.notify_all()

    def stop(self) -> None:
        with self._ready:
            self._stopped = True
            self._queue.clear()
            self._ready.notify_all()

    def _run(self) -> None:
        while parcel := self._next():
            retry_in: float | None = None
            with contextlib.suppress(Exception):
                retry_in = self._carry(parcel)
            with self._ready:
                self._in_hand -= 1
                if retry_in is not None and parcel.era == self._era and not self._stopped:
                    heapq.heappush(self._queue, (time.monotonic() + retry_in, next(self._order), parcel))
                self._ready.notify_all()

    def _next(self) -> Parcel | None:
        with self._ready:
            while not self._stopped:
                if not self._queue:
                    self._ready.wait()
                elif (pause := self._queue[0][0] - time.monotonic()) > 0:
                    self._ready.wait(pause)
                else:
                    self._in_hand += 1
                    return heapq.heappop(self._queue)[2]
            return None

    def _carry(self, parcel: Parcel) -> float | None:
        """Deliver once; seconds until the next try, or None when there is none."""
        if not parcel.wanted():
            return None
        status = call(parcel.url, parcel.body, parcel.headers(parcel.body), self.timeout_s)
        parcel.attempts += 1
        parcel.answered(status)
        entry = {**parcel.about, "status": status, "attempt": parcel.attempts, "at": round(time.time(), 3)}
        with self._ready:
            if parcel.era == self._era:
                self._log.append(entry)
        if 200 <= status < 300 or status == 410 or parcel.attempts > len(parcel.delays):
            return None
        return parcel.delays[parcel.attempts - 1]
