"""Several changes in a row are told as one, and recorded as ever (contacts/telling.py)."""

from typing import Any

import pytest
from django.db import transaction

from contacts import signals, telling
from contacts.models import Contact, EmailAddress, HistoryEntry, PhoneNumber, SearchText, Tag
from contacts.models.recorded import Recorded
from contacts.services import add_tag
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


@pytest.fixture
def heard() -> Any:
    """Every message that somebody was changed."""
    found: list[dict[str, Any]] = []

    def hear(sender: Any, **said: Any) -> None:
        found.append({"sender": sender} | said)

    signals.contacts_changed.connect(hear)
    yield found
    signals.contacts_changed.disconnect(hear)


def somebody() -> Contact:
    contact: Contact = Contact.objects.create(first_name="Ana")
    EmailAddress.objects.create(contact=contact, address="ana@rivermail.test", is_primary=True)
    PhoneNumber.objects.create(contact=contact, number="+12025550123")
    return contact


def lines() -> list[tuple[Any, ...]]:
    rows = HistoryEntry.objects.order_by("pk").values_list("verb", "what", "label", "by", "actor_label", "source")
    return list(rows)


def test_somebody_new_is_told_of_once_and_has_the_same_history(heard: list[Any]) -> None:
    one = somebody()
    by_themselves, written = len(heard), lines()
    HistoryEntry.objects.all().delete()
    one.delete()
    HistoryEntry.objects.all().delete()
    heard.clear()
    with transaction.atomic(), telling.as_one(Recorded):
        contact = somebody()
        assert not heard
    assert by_themselves == 3 and lines() == written
    assert heard == [
        {"sender": Recorded, "signal": signals.contacts_changed, "tenant_id": contact.tenant_id, "uids": [contact.uid],
         "cause": "Contact added by Almoner", "is_opt_out": False}
    ]  # fmt: skip
    assert "ana@rivermail.test" in SearchText.objects.get(contact=contact).text


def test_an_opt_out_among_other_changes_stays_one(heard: list[Any]) -> None:
    contact = ContactFactory()
    heard.clear()
    with transaction.atomic(), telling.as_one(Recorded):
        contact.first_name = "Benita"
        contact.save()
        contact.do_not_contact = True
        contact.save()
        contact.phone_numbers.create(number="+12025550123")
    assert [(one["cause"], one["is_opt_out"]) for one in heard] == [("Do Not Contact set by Almoner", True)]


def test_changes_that_matter_are_not_hidden_behind_one_that_does_not(heard: list[Any]) -> None:
    contact, tag = ContactFactory(), Tag.objects.create(name="donor")
    heard.clear()
    with transaction.atomic(), telling.as_one(Recorded):
        add_tag(tag, Contact.objects.filter(pk=contact.pk))
        contact.phone_numbers.create(number="+12025550123")
    assert [(one["cause"], one["sender"]) for one in heard] == [("Contact changed by Almoner", Recorded)]


def test_what_fails_is_not_told(heard: list[Any]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic(), telling.as_one(Recorded):
        somebody()
        _ = 1 / 0
    assert not heard and not Contact.objects.exists() and not HistoryEntry.objects.exists()
    somebody()
    assert len(heard) == 3, "afterwards each by itself again"


def test_what_is_gone_is_told_of_and_found_no_more() -> None:
    contact = somebody()
    with transaction.atomic(), telling.as_one(Recorded):
        contact.phone_numbers.get().delete()
    assert "12025550123" not in SearchText.objects.get(contact=contact).text


def test_another_organization_inside_is_told_by_itself(heard: list[Any], neighbour: Tenant) -> None:
    with transaction.atomic(), telling.as_one(Recorded):
        somebody()
        with inside(neighbour):
            somebody()
            assert {one["tenant_id"] for one in heard} == {neighbour.pk} and len(heard) == 3
    assert len(heard) == 4


def test_deleting_in_between_is_told_before_it_is_done(heard: list[Any]) -> None:
    with transaction.atomic(), telling.as_one(Recorded):
        contact = somebody()
        with telling.each_by_itself():
            assert len(heard) == 1
            contact.delete()
    assert any(one["cause"].startswith("Contact deleted") for one in heard)
