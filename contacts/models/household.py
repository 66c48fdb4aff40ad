"""Households: people who live together and are greeted together (L8)."""

import re
import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from contacts import signals
from contacts.models.history import HistoryEntry
from contacts.models.recorded import CHUNK, Recorded, chunks, told_by


class Household(Recorded):
    """Some contacts who belong together. Who is in it is said by `Contact.household`.

    Where they share an email address, newsletters greet them all; who merely shares an address without a household
    is greeted by the name of the one changed last.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200, help_text="Such as The Okoro family.")
    greeting = models.CharField(
        max_length=200, blank=True, help_text="Left empty, it is made from the first names: Ada and Ben."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(Recorded.Meta):
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def list_uid_concerned(self) -> uuid.UUID | None:
        return self.uid

    @classmethod
    def announce(cls, changes: list[Any]) -> None:
        """A new name or greeting concerns all members. Before a household is deleted, each member leaves it, so that
        their own histories say so."""
        for row, diff, verb in changes:
            if verb == HistoryEntry.Verb.DELETED:
                row.members.update(household=None)
            elif verb == HistoryEntry.Verb.CHANGED and diff.keys() & {"name", "greeting"}:
                cause = told_by(describe_household, (row, diff, verb))
                uids: Any = row.members.order_by().values_list("uid", flat=True)
                for part in chunks(uids.iterator(CHUNK)):
                    signals.contacts_changed.send(
                        cls, tenant_id=row.tenant_id, uids=part, cause=cause, is_opt_out=False
                    )


def describe_household(row: Household, diff: dict[str, list[Any]], verb: str) -> str:
    """What happened to a household, for a person."""
    return f"Household “{row}” {'greeted differently' if 'greeting' in diff else 'renamed'}"


def is_named_in(first_name: str, greeting: str) -> bool:
    """Whether a greeting names somebody, as a word of its own: Ben in “Ada and Ben”, not in “Ada and Benita”."""
    return bool(first_name and re.search(rf"(?<!\w){re.escape(first_name)}(?!\w)", greeting, re.IGNORECASE))


def is_family_name_in(last_name: str, greeting: str) -> bool:
    """Whether a greeting says the last name, also of all of them at once: “The Okoros”, “The Joneses”."""
    return bool(last_name and re.search(rf"(?<!\w){re.escape(last_name)}(s|es|['’]s?)?(?!\w)", greeting, re.IGNORECASE))


PLACE = "place in a household"


def note_moves(changes: list[Any]) -> None:
    """In the history of a household: who came and who left. What becomes of the contacts stands in their own."""
    moves = []
    for row, diff, _ in changes:
        before, after = diff.get("household_id", (None, None))
        pairs = [(before, HistoryEntry.Verb.DELETED), (after, HistoryEntry.Verb.ADDED)] if before != after else []
        moves += [(row, pk, verb) for pk, verb in pairs if pk]
    if moves:
        homes = Household.objects.in_bulk({pk for _, pk, _ in moves})
        HistoryEntry.objects.bulk_create(
            HistoryEntry.by_actor(
                tenant_id=row.tenant_id, verb=verb, what=PLACE, list_uid=homes[pk].uid,
                label=f"{row} in {homes[pk]}"[:250],
            )
            for row, pk, verb in moves if pk in homes
        )  # fmt: skip


def part_company(changes: list[Any]) -> None:
    """Whoever left a household, or was deleted, is not greeted with the others any more: a greeting that was written
    by hand and names them gives way to the one made from the names."""
    left: dict[int, list[str]] = {}
    for row, diff, _ in changes:
        before, after = diff.get("household_id", (None, None))
        if before and before != after:
            left.setdefault(before, []).append(row.first_name)
    if not left:
        return
    for household in Household.objects.filter(pk__in=left, members__isnull=False).exclude(greeting="").distinct():
        if any(is_named_in(name, household.greeting) for name in left[household.pk]):
            household.greeting = ""
            household.save()
