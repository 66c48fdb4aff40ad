"""The five outcomes of a call (design: one function per provider decides which).

done · retry after t · ambiguous (the request left, the answer is unclear) · refused (this subject only) ·
reconnect (the connection pauses). Anything unknown is ambiguous.
"""

from dataclasses import dataclass
from typing import Any

from integrations.provider_kit.states import Member


@dataclass(frozen=True, slots=True)
class Done:
    """It is so there now. `now` is the person as the vendor answered (it may differ from what was asked); `left` is an
    entry of theirs that we gave up for another one, as it stands now."""

    now: Member | None = None
    remote_id: str = ""
    answer: str = ""
    left: Member | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not done, through no fault of this subject: try again. `after` in seconds, None for the usual back-off.

    `alone` says that only this subject has to wait; otherwise the whole connection does. `is_limit`: nothing is wrong
    there, we may only not call at present (the gate says so); with `bulk_only`, opt-outs and single edits still may.
    """

    sentence: str
    after: float | None = None
    alone: bool = False
    is_limit: bool = False
    bulk_only: bool = False


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The request left and the answer is unclear: it may have been done.

    `is_underway`: the vendor took it in and is still at work. Nothing is wrong; `after` so many seconds it is asked
    what became of it, by the `ticket` that it gave us.
    """

    sentence: str
    after: float | None = None
    is_underway: bool = False
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor will not do it for this subject; the others go on. `code` is one of ours, `sentence` is for people.

    `now` tells what is there all the same, if that changed: the row is planned again from it.
    """

    code: str
    sentence: str
    now: Member | None = None


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The grant is gone or too weak: everything on this connection pauses until somebody reconnects."""

    sentence: str


Outcome = Done | Retry | Ambiguous | Refused | Reconnect


class CallFailed(Exception):
    """A call that did not succeed, carrying its outcome. The text never holds a credential."""

    def __init__(self, outcome: Retry | Ambiguous | Refused | Reconnect) -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome


class Unsupported(RuntimeError):
    """A provider was asked for something that it does not do, although `can` says so: our bug."""


def of(error: BaseException) -> Any:
    """The outcome that an exception stands for; anything unknown is ambiguous."""
    return error.outcome if isinstance(error, CallFailed) else Ambiguous("No clear answer came back.")
