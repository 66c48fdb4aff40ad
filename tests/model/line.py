"""The line between engine and vendor, where a test may step in: at any call, before it leaves or after it was answered.

Everything runs in one thread, so that what happens at the third call happens at the third call each time.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from integrations.provider_kit.http import Http
from integrations.providers.mailchimp import people
from integrations.sync import runs
from integrations.sync.lease import Lease


class Killed(BaseException):
    """The process is gone: nothing of ours catches this."""


class OneAfterTheOther:
    """A pool of threads without threads."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __enter__(self) -> "OneAfterTheOther":
        return self

    def __exit__(self, *problem: object) -> None:
        """Nothing to wait for."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(work(*arguments))
        return future


class Line:
    """Counts the calls of one turn and steps in where it was told to."""

    def __init__(self) -> None:
        self.count = 0
        self.is_dead = False
        self.at: dict[tuple[int, str], Callable[[], None]] = {}
        self.after_each: list[Callable[[], None]] = []  # who looks what a call has done there

    def new_turn(self, at: dict[tuple[int, str], Callable[[], None]]) -> None:
        """Forget the last turn; `at` says what happens at which call, "before" or "after" it."""
        self.count, self.is_dead, self.at = 0, False, at

    def pass_by(self, when: str) -> None:
        """This moment has come."""
        if self.is_dead:
            raise Killed
        if act := self.at.pop((self.count, when), None):
            act()

    def kill(self) -> None:
        """From here on the process does nothing more."""
        self.is_dead = True
        raise Killed


@contextmanager
def tapped() -> Iterator[Line]:
    """Step into every call to a vendor."""
    line = Line()
    call, give_back, finish = Http.call, Lease.give_back, runs.finish_if_done

    def watched(self: Http, *arguments: Any, **more: Any) -> Any:
        line.count += 1
        line.pass_by("before")
        try:
            return call(self, *arguments, **more)
        finally:
            for look in line.after_each:
                look()
            line.pass_by("after")

    def unless_dead(self: Lease) -> None:
        if not line.is_dead:
            give_back(self)

    def finish_unless_dead(connection: Any) -> Any:
        return None if line.is_dead else finish(connection)

    with (
        patch.object(Http, "call", watched),
        patch.object(Lease, "give_back", unless_dead),
        patch.object(runs, "finish_if_done", finish_unless_dead),
        patch.object(people, "ThreadPoolExecutor", OneAfterTheOther),
    ):
        yield line
