"""One worker's turn on one connection: its time, its lease, and its pauses when the vendor is in trouble."""

import random
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Now

from integrations.models import Connection, RemoteRecord
from integrations.provider_kit.base import Policy, Provider
from integrations.provider_kit.errors import Outcome, Reconnect, Retry
from integrations.sync import notices, patience, people, slices
from integrations.sync.giving_way import giving_way
from integrations.sync.lease import Lease
from integrations.sync.settle import backoff

A_DAYS_END = 30 * 60  # seconds; who has to wait longer than this for calls has used up the day's
SHORT_NAP = 3.0  # seconds a sitting may wait for a vendor that asked for a pause, instead of leaving


class Interrupted(Exception):
    """The vendor cannot go on now: the connection waits or needs a person, the rows stay due."""


class Turn:
    """Taken by `serve`, filled by `push`."""

    def __init__(self, connection: Connection, lease: Lease, provider: Provider, ends_at: float) -> None:
        self.connection = connection
        self.lease = lease
        self.provider = provider
        self.ends_at = ends_at
        self.policy: Policy = slices.policy_of(connection)
        self.place = people.place_of(connection)
        self.limits = type(provider).limits(connection.settings)
        self.bulk_waits = is_bulk_waiting(connection)  # for calls; opt-outs and single edits go on
        self.renewed_at = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether it is somebody else's turn."""
        return time.monotonic() >= self.ends_at

    def stay(self) -> None:
        """Keep the lease, before it gets near its end."""
        if time.monotonic() - self.renewed_at > settings.LEASE_SECONDS / 4:
            self.lease.renew()
            self.renewed_at = time.monotonic()

    def give_back(self, records: list[RemoteRecord]) -> None:
        """They stay due, and nothing was wrong with them."""
        left = RemoteRecord.objects.filter(pk__in=[r.pk for r in records], token=self.lease.token)
        # An edit meanwhile has set the attempts to 0.
        giving_way(lambda: left.update(token="", attempts=Greatest(F("attempts") - 1, 0)))

    def success(self) -> None:
        """A call that changes something there got through."""
        Connection.objects.filter(pk=self.connection.pk).update(
            last_success_at=Now(), last_error="", failures=0, failing_since=None, retry_at=None
        )
        self.connection.failures = 0

    def bear(self, outcome: Outcome, failed: list[RemoteRecord], got_through: bool) -> None:
        """These rows brought no clear answer: they wait behind the others, and the connection takes a pause.

        A single row that has failed several times waits alone, lest it keeps whatever is changed next from going out.
        """
        after = getattr(outcome, "after", None)
        pause = self.pause_for(outcome)
        if not isinstance(outcome, Reconnect) and after is None:
            patience.put_off(self.connection, self.lease.token, failed, pause, got_through)
        waits_alone = after is None and patience.is_alone(failed) and not slices.is_anything_due(self.connection)
        self.interrupt(outcome, pause, row_only=waits_alone)

    def pause_for(self, outcome: Outcome) -> float:
        """How many seconds the vendor is left in peace: Retry-After wins over our back-off."""
        after = getattr(outcome, "after", None)
        if after is not None:
            return float(after)
        longest = backoff(self.connection.failures)
        return random.uniform(longest / 2, longest)  # noqa: S311  jitter

    def interrupt(self, outcome: Outcome, pause: float | None = None, row_only: bool = False) -> None:
        """Pause the connection: until a time, or until somebody reconnects.

        Raises `Interrupted`, except after a nap short enough to wait for here, or if the others need not wait.
        """
        mine = RemoteRecord.objects.filter(connection=self.connection, token=self.lease.token)
        giving_way(lambda: mine.update(token="", attempts=0))
        sentence = getattr(outcome, "sentence", "")[:300]
        if isinstance(outcome, Reconnect):
            notices.reconnect_needed(self.connection, sentence)
            raise Interrupted
        after = self.pause_for(outcome) if pause is None else pause
        if isinstance(outcome, Retry) and outcome.is_limit:
            self.wait_for_calls(sentence, after, outcome.bulk_only)
            return
        self.connection.failures += 1
        Connection.objects.filter(pk=self.connection.pk).update(
            failures=self.connection.failures, last_error=sentence,
            failing_since=F("failing_since") if row_only else Coalesce("failing_since", Now()),
            retry_at=None if row_only else Now() + timedelta(seconds=after),
        )  # fmt: skip
        if after <= SHORT_NAP and time.monotonic() + after <= self.ends_at:
            time.sleep(after)
        elif not row_only:
            raise Interrupted

    def wait_for_calls(self, sentence: str, after: float, bulk_only: bool) -> None:
        """We may not call now, though nothing is wrong (L29): large changes wait, and the rest only if it has to."""
        if after <= SHORT_NAP and time.monotonic() + after <= self.ends_at:
            time.sleep(after)
            return
        until = Now() + timedelta(seconds=after)
        everything: dict[str, Any] = {} if bulk_only else {"retry_at": until}
        if not bulk_only and after < A_DAYS_END:  # a vendor that says so for ever is in trouble
            everything["failing_since"] = Coalesce("failing_since", Now())
        Connection.objects.filter(pk=self.connection.pk).update(bulk_retry_at=until, bulk_reason=sentence, **everything)
        self.bulk_waits = True
        if not bulk_only:
            raise Interrupted


def is_bulk_waiting(connection: Connection) -> bool:
    """Whether large changes wait for calls, by the database's clock."""
    return Connection.objects.filter(pk=connection.pk, bulk_retry_at__gt=Now()).exists()
