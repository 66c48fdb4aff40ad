"""Merging as a property: whatever two contacts have, nothing is lost, the strictest consent wins, undo is exact."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contacts import standing
from contacts.custom import value_row
from contacts.duplicates.alike import place_key
from contacts.duplicates.merge import FIELDS, PRIMARIES, merge
from contacts.duplicates.unmerge import plan, undo
from contacts.models import (
    ConsentEvent,
    Contact,
    ContactList,
    ContactTag,
    CustomField,
    EmailAddress,
    HistoryEntry,
    Household,
    ListMembership,
    Merge,
    MergedIdentity,
    OutsideIdentifier,
    PhoneNumber,
    PostalAddress,
    Tag,
)  # fmt: skip
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant as inside
from tests.contacts.test_merge import snapshot
from tests.factories import TenantFactory

LISTS, TAGS, QUESTIONS = ["News", "Board", "Gala"], ["donor", "2026"], ["Size", "Diet"]
names = st.sampled_from(["", "Ana", "A.", "Søren", "李"])
some = st.integers(0, 2)

person = st.fixed_dictionaries({
    "fields": st.fixed_dictionaries({
        "first_name": names, "last_name": names, "organization_name": names, "job_title": names,
        "custom_user_id": st.sampled_from(["", "1", "2"]), "notes": st.sampled_from(["", "One.", "Two.\nlines"]),
        "do_not_contact": st.booleans(), "kind": st.sampled_from(["person", "organization"]),
    }),
    "household": st.sampled_from([None, 0, 1]),
    "emails": st.lists(st.tuples(st.sampled_from(["a@x.test", "B@x.test", "b@x.test", "c@x.test"]),
                                 st.sampled_from(["ok", "bounced", "complained"])), max_size=3,
                       unique_by=lambda pair: pair[0].lower()),
    "has_primary": st.booleans(),
    "phones": st.lists(st.tuples(some, st.sampled_from(["", "home", "work"]), st.booleans()), max_size=2),
    "places": st.lists(st.tuples(st.sampled_from(["1 Oak Street", "1 Oak St.", "2 Elm Rd", ""]),
                                 st.sampled_from(["97201", ""]), st.booleans()), max_size=2),
    "lists": st.dictionaries(some, st.tuples(st.booleans(), st.sampled_from(["", "Chair", "Treasurer"])), max_size=3),
    "tags": st.sets(st.integers(0, 1)),
    "values": st.dictionaries(st.integers(0, 1), st.sampled_from(["S", "M", "L"])),
    "identifiers": st.sets(some),
    "words": st.lists(st.sampled_from([("opt_out", ""), ("opt_in", ""), ("opt_out", "mailchimp audience:x"),
                                       ("opt_in", "mailchimp audience:x")]), max_size=2),
})  # fmt: skip
choices = st.dictionaries(
    st.sampled_from([*FIELDS, *PRIMARIES, "custom_0", "custom_1"]), st.sampled_from(["kept", "gone"])
)


@contextmanager
def an_organization() -> Iterator[None]:
    """An organization with lists, tags and questions; nothing of it is left afterwards."""
    with transaction.atomic(), inside(TenantFactory(name="River Trust of the merges")):
        for name in LISTS:
            ContactList.objects.create(name=name)
        for name in TAGS:
            Tag.objects.create(name=name)
        for name in QUESTIONS:
            CustomField.objects.create(name=name)
        for name in ("Home", "Farm"):
            Household.objects.create(name=name)
        yield
        transaction.set_rollback(True)


def make(drawn: dict[str, Any], side: str) -> Contact:
    """The contact as drawn."""
    home = None if drawn["household"] is None else Household.objects.order_by("name")[drawn["household"]]
    contact = Contact.objects.create(household=home, **drawn["fields"])
    for number, (address, state) in enumerate(drawn["emails"]):
        is_primary = drawn["has_primary"] and not number
        EmailAddress.objects.create(contact=contact, address=address, state=state, is_primary=is_primary)
    for n, (number, label, primary) in enumerate(drawn["phones"]):
        PhoneNumber.objects.create(contact=contact, number=f"+1415555010{number}", label=label,
                                   is_primary=primary and not n)  # fmt: skip
    for n, (street, code, primary) in enumerate(drawn["places"]):
        PostalAddress.objects.create(contact=contact, street=street, postal_code=code, is_primary=primary and not n)
    for number, (dnc, position) in drawn["lists"].items():
        one = ContactList.objects.get(name=LISTS[number])
        ListMembership.objects.create(contact=contact, contact_list=one, do_not_contact=dnc, position=position)
    for number in drawn["tags"]:
        ContactTag.objects.create(contact=contact, tag=Tag.objects.get(name=TAGS[number]))
    for number, value in drawn["values"].items():
        value_row(contact, CustomField.objects.get(name=QUESTIONS[number]), value).save()
    for number in drawn["identifiers"]:
        OutsideIdentifier.objects.create(contact=contact, system=side, value=str(number))
    with acting(By.PERSON, "Mailchimp"):
        for kind, place in drawn["words"]:
            ConsentEvent.by_actor(kind, contact.uid, contact_name="x", place=place).save()
    return contact


def facts(contact: Contact) -> dict[str, Any]:
    """Everything that must not be lost."""
    contact = Contact.objects.get(pk=contact.pk)
    return {
        "emails": {e.address_key: e.state for e in contact.email_addresses.all()},
        "phones": {str(p.number) for p in contact.phone_numbers.all()},
        "places": {place_key(p.street, p.postal_code) or str(p).casefold() for p in contact.postal_addresses.all()},
        "lists": {m.contact_list_id: m for m in contact.memberships.all()},
        "tags": {t.tag_id for t in contact.contact_tags.all()},
        "values": {v.field_id: v.value for v in contact.custom_values.all()},
        "identifiers": {(i.system, i.value) for i in contact.outside_identifiers.all()},
        "words": standing.load([contact.uid], [])[0].get(str(contact.uid), {}),
        "row": contact,
    }


def nothing_is_lost(before: list[dict[str, Any]], after: dict[str, Any], chosen: dict[str, str]) -> None:
    """Of both, everything is on the one that is left, but for what was not chosen."""
    kept, gone = before
    worse = ["ok", "bounced", "invalid", "complained"]
    for one in before:
        for key, state in one["emails"].items():
            assert worse.index(after["emails"][key]) >= worse.index(state)
        for name in ("phones", "places", "tags", "identifiers"):
            assert one[name] <= after[name], name
        for pk, place in one["lists"].items():
            here = after["lists"][pk]
            assert here.do_not_contact or not place.do_not_contact
            assert place.position in here.position
            assert here.joined_at <= place.joined_at
        for field in one["values"]:
            assert after["values"][field] in (kept["values"].get(field), gone["values"].get(field))
        assert after["row"].do_not_contact or not one["row"].do_not_contact
        assert one["row"].notes.strip() in after["row"].notes
        if number := one["row"].custom_user_id:
            assert after["row"].custom_user_id == number or ("Former id", number) in after["identifiers"]
        for scope, state in one["words"].items():
            assert standing.STRICTNESS.index(after["words"][scope]) >= standing.STRICTNESS.index(state)
    for name in set(FIELDS) - {"custom_user_id"}:
        mine, theirs = getattr(kept["row"], name), getattr(gone["row"], name)
        wanted = theirs if theirs and (chosen.get(name) == "gone" or not mine) else mine
        assert getattr(after["row"], name) == wanted, name
    for name, related in (("email", "email_addresses"), ("phone", "phone_numbers"), ("postal", "postal_addresses")):
        rows = [row for row in getattr(after["row"], related).all() if row.is_primary]
        assert len(rows) <= 1, name


@pytest.mark.django_db
@settings(
    max_examples=15, phases=[Phase.generate], deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(mine=person, theirs=person, chosen=choices)
def test_L35_nothing_is_lost_the_strictest_wins_and_undo_restores(mine, theirs, chosen) -> None:
    with an_organization():
        kept, gone = make(mine, "Kept"), make(theirs, "Gone")
        questions = list(CustomField.objects.order_by("pk"))
        chosen = {
            f"custom_{questions[int(k[-1])].pk}" if k in ("custom_0", "custom_1") else k: v for k, v in chosen.items()
        }
        before, shot = [facts(kept), facts(gone)], snapshot()
        ledger, history = ConsentEvent.objects.count(), HistoryEntry.objects.count()
        made = merge(kept, gone, chosen)
        nothing_is_lost(before, facts(kept), chosen)
        assert not Contact.objects.filter(pk=gone.pk).exists()
        assert ConsentEvent.objects.count() >= ledger
        assert HistoryEntry.objects.count() > history
        assert plan(Merge.objects.get(pk=made.pk)).stays == [], "nobody has changed anything since"
        undo(made)
        assert snapshot() == shot
        assert not MergedIdentity.objects.exists()
        for contact, said in zip((kept, gone), before, strict=True):
            assert facts(contact)["words"] == said["words"]
