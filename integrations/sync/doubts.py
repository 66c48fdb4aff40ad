"""What became of what was sent without a clear answer: the vendor is asked before anything else is sent. For push."""

from collections import defaultdict
from datetime import timedelta
from functools import partial

from django.db.models import F
from django.db.models.functions import Now

from integrations.models import RemoteRecord
from integrations.provider_kit import errors
from integrations.provider_kit.errors import Ambiguous, Reconnect
from integrations.provider_kit.states import Member, Places
from integrations.sync import pull
from integrations.sync.giving_way import giving_way
from integrations.sync.planning import same
from integrations.sync.slices import Row
from integrations.sync.turn import Turn


class Doubts(Turn):
    """The part of a turn that clears up doubts."""

    def look_at(self, rows: list[Row], places: Places) -> bool:
        """Ask the vendor what became of what was sent without a clear answer, now that something else is wanted.

        Returns whether everybody was looked at; if not, what was found so far is known and the rest is for later.
        """
        size = max(1, self.provider.look_size)
        for start in range(0, len(rows), size):
            if self.is_over:
                return False
            part = rows[start : start + size]
            try:
                found = self.find(part, places)
            except errors.CallFailed as failure:
                if isinstance(failure.outcome, Reconnect):
                    raise
                if isinstance(failure.outcome, Ambiguous) and failure.outcome.is_underway:
                    self.wait_for_the_vendor(part, failure.outcome)
                else:
                    self.bear(failure.outcome, [row.record for row in part], got_through=start > 0)
                return False
            for row in part:
                for container, sent in row.maybe.items():
                    there = found[row.record.pk, container]
                    giving_way(partial(self.clear_up, row, container, sent, there))
                row.record.refresh_from_db()
        return True

    def wait_for_the_vendor(self, rows: list[Row], outcome: Ambiguous) -> None:
        """What was sent before is still being worked on there, so nobody can tell yet; no vain attempt of anybody's."""
        pks = [row.record.pk for row in rows if row.tickets] or [row.record.pk for row in rows]
        mine = RemoteRecord.objects.filter(pk__in=pks, token=self.lease.token)

        def put_off() -> None:
            unchanged = mine.filter(want_version=F("sent_version"))
            unchanged.update(due_at=Now() + timedelta(seconds=outcome.after or 0.0))
            mine.update(token="", attempts=0)

        giving_way(put_off)

    def clear_up(self, row: Row, container: str, sent: Member, found: list[Member | None]) -> None:
        """Write what was found; the doubt is read anew, as an attempt before this one may have been taken back."""
        self.lease.renew()
        row.record.refresh_from_db()
        pull.clear_up(self.connection, row.record, container, sent, found)
        if row.takes_back is not None:
            return  # what is still to be sent of an undo is found out anew
        # What is planned from here on was not in any preview: it goes for its own sake.
        mine = RemoteRecord.objects.filter(pk=row.record.pk, token=self.lease.token)
        mine.update(want_version=F("want_version") + 1, sent_version=F("sent_version") + 1)

    def find(self, rows: list[Row], places: Places) -> dict[tuple[int, str], list[Member | None]]:
        """{(record pk, container): who has the known and the new address there}."""
        asked: defaultdict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for row in rows:
            for container, sent in row.maybe.items():
                known = row.known.get(container)
                if known is not None:
                    asked[container].append((row.record.pk, known.address, known.remote_id))
                if known is None or not same(known.address, sent.address):
                    asked[container].append((row.record.pk, sent.address, ""))
        found: defaultdict[tuple[int, str], list[Member | None]] = defaultdict(list)
        for container, people in asked.items():
            tickets = {row.tickets[container] for row in rows if container in row.tickets}
            whom = [(address, remote_id) for _, address, remote_id in people]
            there = self.provider.look_many(container, whom, places, tickets)
            for (pk, _, _), member in zip(people, there, strict=True):
                found[pk, container].append(member)
        return found
