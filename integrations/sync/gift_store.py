"""A page of a service's gifts is taken in: contacts found or made, gifts recorded, and each told in the report (D5–D9).

Everything of a page, with how far the look has come, is one transaction of `gift_pages`; a page that is read again
changes nothing. The stop before is gift_pages; the stop after is gifts.services.
"""

from collections import Counter
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gifts.models import Gift
from gifts.services import record_gifts, today
from integrations.models import Connection, GiftRun, GiftRunItem
from integrations.provider_kit.giving import GiftThere, PersonThere
from integrations.sync.givers import Givers, known_donors
from tasks_app.withdrawing import at_their_wish

Outcome = GiftRunItem.Outcome
HISTORY = GiftRun.Kind.HISTORY
NO_DONOR = "The donor is not there any more."
NO_DATE = "It has no date or no amount."
MOVED_AWAY = "It was given to a donor for whom nothing is to be done here: "
LONGEST = 4000


@dataclass
class Page:
    """The gifts of one page on their way in."""

    run: GiftRun
    rows: dict[str, GiftThere]
    connection: Connection = field(init=False)
    known: dict[str, Gift] = field(default_factory=dict)  # by number there
    told: dict[str, GiftRunItem] = field(default_factory=dict)  # skipped in an earlier report
    whose: dict[str, int] = field(default_factory=dict)  # contacts by the number of the donor there
    items: list[GiftRunItem] = field(default_factory=list)
    to_record: dict[str, Gift] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = self.run.connection

    def take_in(self) -> Counter[str]:
        """Store it; how many were new, to be thanked for, updated and skipped. As many queries for 500 as for one."""
        numbers = set(self.rows) | {row.replaces for row in self.rows.values() if row.replaces}
        place = {"source": self.connection.provider, "source_place": self.connection.account_id}
        found = Gift.objects.filter(**place, source_id__in=numbers).select_related("contact")
        self.known = {gift.source_id: gift for gift in found}
        told = GiftRunItem.objects.filter(
            connection=self.connection, gift_id_there__in=numbers, run__account_id=self.connection.account_id
        )
        self.told = {item.gift_id_there: item for item in told.filter(outcome=Outcome.SKIPPED).order_by("pk")}
        movers = self.movers()
        wanted = [row for row in self.rows.values() if self.is_wanted(row)]
        people = {row.person.person_id: row.person for row in wanted if row.person}
        people |= {person.person_id: person for person in movers.values() if not person.skip}
        contacts = Givers(self.connection, self.connection.tenant).meet(people) if people else {}
        for row in wanted:
            contact = contacts[row.person.person_id]  # type: ignore[union-attr]
            gift = Gift(**place, source_id=row.gift_id, contact=contact, is_history=self.is_history(row))
            self.fill(gift, row)
        for number, gift in list(self.known.items()):
            now = self.rows.get(number)
            if now is not None and now.is_gift:
                fresh, mover = copy(gift), movers.get(number)
                fresh.gone_on = None
                if mover is not None and mover.person_id in self.whose:
                    fresh.contact_id = self.whose[mover.person_id]
                elif mover is not None and mover.skip:
                    fresh.gone_on = gift.gone_on or today()
                elif mover is not None:
                    fresh.contact = contacts[mover.person_id]
                self.fill(fresh, now)
        self.supersede()
        counted = self.write(movers)
        self.hush()
        return counted

    # --- what is to be done with each ---
    def is_wanted(self, row: GiftThere) -> bool:
        """Whether this becomes a gift here; if not although it is new, the report says why, once."""
        if row.gift_id in self.known or not (row.is_new or self.run.kind == HISTORY):
            return False
        why = ""
        if row.person is not None and row.person.skip:
            why = row.person.skip
        elif not row.is_gift:
            why = row.why_not
        elif row.person is None:
            why = NO_DONOR
        elif row.received_on is None or row.amount is None:
            why = NO_DATE
        if why and row.gift_id not in self.told:
            is_wish = row.person is not None and bool(row.person.skip)
            self.item(row.gift_id, Outcome.SKIPPED, why, replaces=row.replaces, is_wish=is_wish)
        return not why

    def root(self, row: GiftThere) -> str:
        """The number there of what it corrects, at the end of a chain of corrections: the first one that is here, or
        the very first."""
        number, been = row.replaces, {row.gift_id}
        while number and number not in self.known and number not in been:
            been.add(number)
            before = self.rows[number].replaces if number in self.rows else ""
            before = before or (self.told[number].replaces if number in self.told else "")
            if not before:
                break
            number = before
        return number

    def is_history(self, row: GiftThere) -> bool:
        """Whether nobody is thanked for it: it came before, may not be thanked, was skipped, or corrects one for which
        somebody was or was not thanked already. A correction of a gift that never came here as it was is thanked."""
        may = row.may_be_thanked or not row.is_one  # parts are not thanked for themselves, but count towards milestones
        root = self.root(row) if row.replaces else ""
        wishes = [self.told[number].is_wish for number in (row.gift_id, root) if number in self.told]
        if self.run.kind == HISTORY or not row.is_new or not may or any(wishes):
            return True
        if not root:
            return False
        if root in self.known:
            return bool(self.known[root].is_history)
        there = self.rows.get(root)
        return not (there.is_new if there else row.replaces_new or root in self.told)

    def movers(self) -> dict[str, PersonThere]:
        """{number of a known gift: who it belongs to now}, of those that were given to another donor there."""
        rows = [self.rows[number] for number in self.known if number in self.rows]
        people = {row.gift_id: row.person for row in rows if row.is_gift and row.person}
        if people:
            self.whose = known_donors(self.connection.system, {person.person_id for person in people.values()})
        return {
            number: person for number, person in people.items()
            if self.whose.get(person.person_id) != self.known[number].contact_id
        }  # fmt: skip

    # --- gifts ---
    def fill(self, gift: Gift, row: GiftThere) -> None:
        """What the service says now. What it no longer tells stays."""
        gift.amount = row.amount if row.amount is not None else gift.amount
        gift.received_on = row.received_on or gift.received_on
        gift.comment = row.comment[:LONGEST]
        gift.counts, gift.is_one = row.counts, row.is_one
        gift.refunded = min(gift.refunded, max(gift.amount, Decimal(0)))
        if row.replaces:
            gift.replaces = self.known.get(self.root(row)) or gift.replaces
        self.to_record[row.gift_id] = gift

    def supersede(self) -> None:
        """What was corrected counts no more from the moment on in which its correction is here."""
        for row in self.rows.values():
            root = self.root(row) if row.replaces and (row.is_gift or row.takes_back) else ""
            if root in self.known and (row.gift_id in self.to_record or row.takes_back):
                gift = self.to_record.get(root) or copy(self.known[root])
                gift.counts = gift.is_one = False
                self.to_record[root] = gift

    def write(self, movers: dict[str, PersonThere]) -> Counter[str]:
        """Record them, and the report's rows."""
        taken = record_gifts(self.to_record.values())
        for gift in taken.created:
            self.item(gift.source_id, Outcome.NEW, self.rows[gift.source_id].why_not, gift)
        for gift in taken.changed:
            person = movers.get(gift.source_id)
            why = f"{MOVED_AWAY}{person.skip}" if person and person.skip else "It has another donor." if person else ""
            self.item(gift.source_id, Outcome.UPDATED, why, gift)
        if self.run.kind == HISTORY:  # told in numbers: 100,000 rows would help nobody
            kept = [item for item in self.items if item.outcome == Outcome.SKIPPED]
        else:
            kept = self.items
        GiftRunItem.objects.bulk_create(kept)
        counted: Counter[str] = Counter(item.outcome for item in self.items)
        counted["to_thank"] = sum(g.is_one and not g.is_history and not g.replaces_id for g in taken.created)
        return counted

    def hush(self) -> None:
        """Donors who want no mail by now: nobody is asked any more to thank them for what came before (D8)."""
        rows = {number: row.person for number, row in self.rows.items() if row.person and row.person.skip}
        if not rows:
            return
        why = next(iter(rows.values())).skip
        donors = known_donors(self.connection.system, {person.person_id for person in rows.values()})
        hushed = at_their_wish(set(donors.values()), self.connection.provider, why)
        hushed |= {gift.pk for number, gift in self.known.items() if number in rows}
        gifts = list(Gift.objects.filter(pk__in=hushed, is_history=False).order_by("pk"))
        if gifts:  # also those of other pages: a refund of one that is taken back asks for no thanks anew
            Gift.objects.filter(pk__in=[gift.pk for gift in gifts]).update(is_history=True)
            GiftRunItem.objects.bulk_create(
                GiftRunItem(
                    run=self.run, connection=self.connection, gift_id_there=gift.source_id, outcome=Outcome.SKIPPED,
                    reason=why[:300], gift=gift, is_wish=True,
                )
                for gift in gifts
            )  # fmt: skip

    def item(self, number: str, outcome: str, reason: str, gift: Gift | None = None, **more: Any) -> None:
        """A row of the report."""
        self.items.append(GiftRunItem(
            run=self.run, connection=self.connection, gift_id_there=number, outcome=outcome, reason=reason[:300],
            gift=gift, **more,
        ))  # fmt: skip


def take_in(run: GiftRun, gifts: list[GiftThere]) -> Counter[str]:
    """Store a page of them, and return how many were new, to_thank, updated and skipped."""
    return Page(run, {row.gift_id: row for row in gifts}).take_in() if gifts else Counter()
