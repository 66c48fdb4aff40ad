"""The gate before every call to a vendor that counts the calls of an application key (L29).

`pass_through` waits for the call's place in the second if that is soon; otherwise it says when to come back, as an
outcome like any other. Who may go is decided by the broker, which counts in the database for all organizations,
workers and machines; what a vendor says about our calls (429) is told to it, so that all others with that key wait.
"""

import random
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Protocol

from integrations.provider_kit.base import Limits
from integrations.provider_kit.errors import CallFailed, Retry

PATIENCE = {True: 10.0, False: 2.0}  # seconds to wait here, by whether it is urgent; a worker stands idle meanwhile
LONGEST_LEAD = 2.0
LEAST_WAIT = 0.02  # seconds until the broker is asked again
SHORT_PAUSE = 2.0  # when a vendor asks for a pause and does not say how long


class Why(Enum):
    """Why a call has to wait."""

    SECOND = auto()  # as many as the second allows are under way
    SHARE = auto()  # others have bulk work too, and had less of the day so far
    BULK = auto()  # what is left of the day is kept for opt-outs and single edits
    PART = auto()  # of what is kept, this organization has had its part
    DAY = auto()  # nothing is left of the day


SENTENCES = {
    Why.SECOND: "{vendor} is being called as often as it allows.",
    Why.SHARE: "Other organizations have large changes for {vendor} as well, and it is their turn.",
    # Until when, the pages say, in the organization's time: midnight UTC is in the middle of a day elsewhere.
    Why.BULK: "Today’s calls to {vendor} for large changes are used up; opt-outs and single changes still go out.",
    Why.PART: "Your organization has used its part of today’s calls to {vendor}.",
    Why.DAY: "Today’s calls to {vendor} are used up.",
}


@dataclass(frozen=True, slots=True)
class Go:
    """The call may leave at this moment of our own monotonic clock, at most `tolerance` seconds later."""

    at: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Later:
    """The call may not leave; in so many seconds it is worth asking again."""

    seconds: float
    why: Why


class Broker(Protocol):
    """Who counts. The one that counts in the database puts itself here when the app is ready."""

    def ask(self, limits: Limits, tenant_id: int | None, is_urgent: bool, lead: float) -> Go | Later:
        """Whether a call of this organization may leave. `lead`: it was let through before and came too late; so many
        seconds are needed to get ready."""

    def block(self, limits: Limits, seconds: float) -> float:
        """Nobody with this key calls for so long. Returns how long that is, should somebody have said more before."""

    def close_day(self, limits: Limits) -> float:
        """The vendor says that nothing is left of the day. Returns the seconds until it is worth trying again."""


class Gate:
    """The gate for the calls of one organization. Ask it from the thread that does the work: it uses the database.

    `tenant_id` None is for calls before anybody is connected. Without limits it stands open.
    """

    broker: ClassVar[Broker]

    def __init__(self, vendor: str, limits: Limits | None, tenant_id: int | None) -> None:
        self.vendor, self.limits, self.tenant_id = vendor, limits, tenant_id

    def pass_through(self, is_urgent: bool) -> None:
        """Return when the call may leave, which is at once then. Raises `CallFailed` if that is not soon."""
        if self.limits is None:
            return
        until = time.monotonic() + PATIENCE[is_urgent]
        lead = 0.0
        while True:
            answer = self.broker.ask(self.limits, self.tenant_id, is_urgent, lead)
            if isinstance(answer, Go):
                time.sleep(max(0.0, answer.at - time.monotonic()))
                late = time.monotonic() - answer.at
                if late <= answer.tolerance:
                    return
                lead = min(LONGEST_LEAD, lead + 2 * late)  # a slow disk held us up, and our place in the second is over
                answer = Later(0.0, Why.SECOND)
            if answer.why is not Why.SECOND or time.monotonic() + answer.seconds > until:
                raise CallFailed(self._come_back(answer, is_urgent))
            wait = max(LEAST_WAIT, answer.seconds)
            time.sleep(wait * random.uniform(1, 1.2))  # noqa: S311  so that not all ask at once

    def throttled(self, after: float | None = None) -> Retry:
        """The vendor answered 429 because of the second: everybody with this key waits. The outcome of that call."""
        pause = SHORT_PAUSE if after is None else after
        if self.limits is not None:
            self.broker.block(self.limits, pause)
        return Retry(SENTENCES[Why.SECOND].format(vendor=self.vendor), pause, is_limit=True)

    def used_up(self) -> Retry:
        """The vendor answered 429 because of the day: nobody with this key calls before its next one."""
        after = None if self.limits is None else self.broker.close_day(self.limits)
        return Retry(SENTENCES[Why.DAY].format(vendor=self.vendor), after, is_limit=True)

    def _come_back(self, answer: Later, is_urgent: bool) -> Retry:
        sentence = SENTENCES[answer.why].format(vendor=self.vendor)
        return Retry(sentence, max(1.0, answer.seconds), is_limit=True, bulk_only=not is_urgent)
