"""The same as test_echoes, with the engine itself: the sandbox tells us everything, our own doings included, in any
order, twice and late, while staff and people go on changing names and calls go wrong.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from django.test import RequestFactory

from contacts.models import Contact, ContactList, ListMembership
from integrations.models import Connection, RemoteRecord
from integrations.provider_kit.states import Operation, Owner
from integrations.sync import corrections, listening
from integrations.sync.serve import serve
from integrations.webhooks import door
from tests.fakes.faults import Faults
from tests.fakes.mailchimp.state import Webhook
from tests.fakes.mailchimp.writing import Writer
from tests.integrations.engine import World
from tests.model.watch import EVENTS, watching

pytestmark = [pytest.mark.usefixtures("in_tenant"), pytest.mark.once]
HOOK_KEY = "the key of the address"
PEOPLE = [f"{name}@rivermail.test" for name in ("ana", "ben", "cleo")]
EDITS = 40


class Town:
    """Three people on a list, everybody who changes them, and what is said of it."""

    def __init__(self, world: World, owner: Owner, watch: Any, settings: Any) -> None:
        self.world, self.owner, self.watch = world, owner, watch
        settings.BACKOFF_BASE_SECONDS, settings.BACKOFF_MAX_SECONDS = 0.0005, 0.001
        world.account.signed_webhooks = False
        world.connection.settings["owners"] = {"first_name": str(owner), "last_name": str(owner)}
        world.connection.save()
        listening.add_to_secret(world.connection, {"hook_key": HOOK_KEY})
        assert listening.start_listening(world.connection) == ""
        everything = dict.fromkeys(("user", "admin", "api"), True)
        audience = world.account.audiences[world.audience]
        audience.webhooks["ours"] = Webhook("ours", "http://ours.test/", dict(EVENTS), everything)
        self.theirs: dict[str, datetime] = {}  # whose name somebody else gave there, and when
        self.edited: dict[Any, datetime] = {}
        self.wronged: list[str] = []
        self.lists = [world.a_list(), world.a_list("Gala")]
        self.contacts = [world.person(email, self.lists[0]) for email in PEOPLE]
        for contact in self.contacts:
            self.edited[contact.uid] = self.tick()
        self.quiet()

    def tick(self) -> datetime:
        """A vendor's times are whole seconds, so each edit gets one of its own."""
        self.world.sandbox.clock_ahead_s += 2
        return datetime.fromtimestamp(int(self.world.sandbox.now()), UTC)

    # --- what happens ---
    def staff_rename(self, which: int, first: str) -> None:
        contact = Contact.objects.get(pk=self.contacts[which].pk)
        contact.first_name = first
        contact.save()
        self.edited[contact.uid] = self.tick()

    def they_rename(self, which: int, first: str) -> None:
        self.tick()
        self.world.rename_there(PEOPLE[which], first)

    def switch_list(self, which: int) -> None:
        place = ListMembership.objects.filter(contact=self.contacts[which], contact_list=self.lists[1])
        if not place.delete()[0]:
            ListMembership.objects.create(
                contact=self.contacts[which], contact_list=ContactList.objects.get(name="Gala")
            )

    def turn(self) -> None:
        Connection.objects.update(retry_at=None)
        RemoteRecord.objects.filter(due_at__isnull=False).update(due_at=datetime(2020, 1, 1, tzinfo=UTC))
        serve(self.world.connection.pk)

    def deliver(self, parcel: Any) -> None:
        request = RequestFactory().post(
            "/hooks/", parcel.body, content_type="application/x-www-form-urlencoded",
            headers=parcel.headers(parcel.body),
        )  # fmt: skip
        assert door(request, "mailchimp", HOOK_KEY).status_code == 200

    def quiet(self) -> None:
        """All calls go well, and everything is heard and sent."""
        self.world.sandbox.faults = Faults()
        for _ in range(100):
            for parcel in self.watch.mail:
                self.deliver(parcel)
            self.watch.mail.clear()
            self.turn()
            if not self.watch.mail and not RemoteRecord.objects.filter(due_at__isnull=False).exists():
                return
        raise AssertionError("never quiet")

    # --- what is watched ---
    def saw(self, by: str, email: str, before: str, after: str) -> None:
        """A first name was changed there."""
        if by != "api":
            self.theirs[email] = datetime.fromtimestamp(int(self.world.sandbox.now()), UTC)
        elif (at := self.theirs.pop(email, None)) and before:
            edited = self.edited[self.contacts[PEOPLE.index(email)].uid]
            if self.owner in (Owner.THEIRS, Owner.FILL) or (self.owner == Owner.NEWEST and at > edited):
                self.wronged.append(f"{email}: {before} of theirs was written over by {after}")

    def names(self) -> list[tuple[str, str]]:
        """(here, there) of everybody."""
        first = dict(Contact.objects.values_list("pk", "first_name"))
        return [(first[c.pk], self.world.name_there(e)[0]) for c, e in zip(self.contacts, PEOPLE, strict=True)]


@contextmanager
def a_town(world: World, owner: Owner, settings: Any, monkeypatch: Any) -> Iterator[Town]:
    """Watched from the sandbox's own process."""
    change = Writer.change
    towns: list[Town] = []

    def see(self: Writer, member: Any, row: Any, status: Any, **more: Any) -> None:
        before = member.merge_fields.get("FNAME", "")
        change(self, member, row, status, **more)
        if towns and (after := member.merge_fields.get("FNAME", "")) != before:
            towns[0].saw(self.by, member.email_address.lower(), before, after)

    with watching(world.sandbox) as watch, patch.object(Writer, "change", see):
        town = Town(world, owner, watch, settings)
        towns.append(town)
        monkeypatch.setattr(corrections, "changed_here", lambda contact, *fields: town.edited[contact.uid])
        yield town


def a_day(town: Town, told: float = 0.6) -> tuple[dict[int, tuple[str, bool]], list[Any]]:
    """Random edits on both sides, turns and faults; then all is quiet. Returns the last edit of each name (and whether
    it was ours), and the messages that came late. `told`: how much is told soon."""
    rng, sandbox = random.Random(11), town.world.sandbox
    newest: dict[int, tuple[str, bool]] = {}
    late: list[Any] = []
    for number in range(EDITS):
        which, is_ours = rng.randrange(3), rng.random() < 0.5
        newest[which] = f"Name {number}", is_ours
        (town.staff_rename if is_ours else town.they_rename)(which, f"Name {number}")
        if rng.random() < 0.3:
            town.switch_list(rng.randrange(3))
        faults = rng.choice([[], [], ["500_applied"], ["done_unanswered"], ["500"]])
        # When a call of ours may have changed somebody, nobody can tell any more when others did.
        kinds = faults if town.owner != Owner.NEWEST else []
        sandbox.faults = Faults.from_json({"kinds": kinds, "share": 0.3, "seed": number})
        late += town.watch.mail
        town.watch.mail.clear()
        while late and rng.random() < told:
            parcel = rng.choice(late)
            town.deliver(parcel)
            if rng.random() < 0.7:
                late.remove(parcel)
        if rng.random() < 0.6:
            town.turn()
    town.watch.mail += late
    town.quiet()
    return newest, late


@pytest.mark.parametrize("owner", list(Owner))
def test_L22_echoes_lead_to_no_further_write_and_lose_no_edit_of_theirs(
    tenant: Any, sandbox: Any, settings: Any, monkeypatch: Any, owner: Owner
) -> None:
    with a_town(World(tenant, sandbox), owner, settings, monkeypatch) as town:
        newest, late = a_day(town)
        assert town.wronged == []
        for which, (here, there) in enumerate(town.names()):
            value, is_ours = newest.get(which, ("Ana", True))
            if owner == Owner.OURS:
                assert here == there
            elif owner == Owner.NEWEST or (owner == Owner.THEIRS and not is_ours):
                assert here == there == value
        since = len(town.world.writes())
        assert since > EDITS / 4
        for parcel in reversed([*late, *late]):  # everything once more, and once more
            town.deliver(parcel)
        town.quiet()
        assert town.world.writes()[since:] == []


def test_L22_the_watch_sees_an_engine_that_writes_unread(
    tenant: Any, sandbox: Any, settings: Any, monkeypatch: Any
) -> None:
    """The control: messages come late, so that edits of theirs are met unheard."""
    monkeypatch.setattr(Operation, "fields_for", lambda self, there=None: dict(self.after.fields))
    with a_town(World(tenant, sandbox), Owner.NEWEST, settings, monkeypatch) as town:
        a_day(town, told=0)
        assert town.wronged
