"""Bulk work at Constant Contact: taken in at once, done later, told by counters only. What became of each person is
read back afterwards; the counters are not believed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings

from integrations.provider_kit.errors import Ambiguous, CallFailed
from integrations.providers.constant_contact.api import Api

ACTIVITIES = "/v3/activities"
IMPORT, REMOVE = "contacts_json_import", "remove_list_memberships"
POLLS = (0.3, 0.7, 2.0, 3.0)  # seconds before each look at one that was just taken in
OLDEST = 3600.0  # seconds after which one that never ends is given up, and the people looked at as they are
AFTER = (10.0, 60.0)  # seconds until the next look: at least, at most; between them half its age
MARGIN = timedelta(seconds=1)  # moments may be told to the second only; more would read what came before as well
SENTENCE = "Constant Contact took this in and is still working on it."


@dataclass(frozen=True, slots=True)
class Activity:
    """One piece of bulk work."""

    kind: str
    activity_id: str
    state: str
    created_at: datetime

    @property
    def ticket(self) -> str:
        """What finds it again later."""
        return f"{self.kind}:{self.activity_id}"

    @property
    def age(self) -> float:
        return (datetime.now(UTC) - self.created_at).total_seconds()

    @property
    def is_underway(self) -> bool:
        """Whether the vendor is still at it. Cancelled, failed and timed out are ends as well."""
        return self.state in ("initialized", "processing") and self.age < OLDEST

    @property
    def has_failed(self) -> bool:
        """Whether it ended, or was given up, without having done all."""
        return self.state != "completed" and not self.is_underway

    @property
    def since(self) -> datetime:
        """From when on it may have touched somebody, by the vendor's clock."""
        return self.created_at - MARGIN


def submit(api: Api, kind: str, body: Mapping[str, Any]) -> Activity:
    """Hand it in. Raises `CallFailed`."""
    content = api.call("POST", f"{ACTIVITIES}/{kind}", json=body, patience=settings.CALL_DEADLINE_SECONDS)
    return of(kind, content)


def read(api: Api, ticket: str) -> Activity | None:
    """How far it is; None if the vendor does not know it any more (it tells of the last ten days)."""
    kind, _, activity_id = ticket.partition(":")
    try:
        return of(kind, api.call("GET", f"{ACTIVITIES}/{quote(activity_id, safe='')}"))
    except CallFailed as failure:
        if getattr(failure.outcome, "code", "") != "not_found":
            raise
        return None


def parts_of(ticket: str) -> list[str]:
    """The tickets of the single pieces that somebody was part of."""
    kind, _, ids = ticket.partition(":")
    return [f"{kind}:{each}" for each in ids.split("+") if each]


def wait_for(api: Api, everything: Mapping[str, Activity]) -> dict[str, Activity]:
    """Give them a few seconds; by ticket, how far they are then. Raises `CallFailed`."""
    now = dict(everything)
    for pause in POLLS:
        underway = [activity for activity in now.values() if activity.is_underway]
        if not underway:
            break
        time.sleep(pause)
        for activity in underway:
            now[activity.ticket] = read(api, activity.ticket) or activity
            if now[activity.ticket].is_underway:
                break  # the others were handed in later
    return now


def underway(part_of: Sequence[Activity], failure: CallFailed | None = None) -> Ambiguous:
    """The outcome of somebody who is part of these, for now; `failure` if it was asking that did not succeed."""
    sentence = failure.outcome.sentence if failure else SENTENCE
    asked_for = getattr(failure.outcome, "after", None) if failure else None
    age = max(activity.age for activity in part_of)
    after = max(asked_for or 0.0, min(max(AFTER[0], age / 2), AFTER[1]))
    ids = [activity.activity_id for activity in part_of if activity.is_underway or failure]
    return Ambiguous(sentence, after, is_underway=True, ticket=f"{part_of[0].kind}:{'+'.join(ids)}")


def of(kind: str, content: Mapping[str, Any]) -> Activity:
    """An activity as the vendor shows it."""
    try:
        at = datetime.fromisoformat(str(content.get("created_at")))
    except ValueError:
        at = datetime.now(UTC)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return Activity(kind, str(content.get("activity_id") or ""), str(content.get("state") or ""), at)
