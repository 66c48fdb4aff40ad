"""Two people press Merge, or Undo, at the same moment: one wins, the other gets a sentence, nothing is done twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import sleep
from typing import Any

import pytest
from django.db import connection, transaction

from contacts.duplicates.merge import MergeRefused, merge
from contacts.duplicates.unmerge import undo
from contacts.models import Contact, EmailAddress, ListMembership, Merge, MergedIdentity
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory, ContactListFactory, ListMembershipFactory, TenantFactory

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(tenant: Tenant, *acts: Callable[[], Any]) -> list[str]:
    """Do these in threads that start together; "" or the refusal of each."""
    start = Barrier(len(acts))

    def one(act: Callable[[], Any]) -> str:
        try:
            start.wait(timeout=20)
            with inside(tenant):
                act()
        except MergeRefused as refusal:
            return str(refusal)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(len(acts)) as threads:
        return sorted(threads.map(one, acts))


def test_of_two_merges_at_once_one_wins_and_the_other_is_told() -> None:
    tenant = TenantFactory(name="River Trust at once")
    one, other = ContactFactory(tenant=tenant), ContactFactory(tenant=tenant)
    said = at_once(tenant, lambda: merge(one, other), lambda: merge(other, one))
    assert said[0] == ""
    assert "merged or deleted a moment ago" in said[1]
    with inside(tenant):
        assert Contact.objects.count() == Merge.objects.count() == MergedIdentity.objects.count() == 1
        assert EmailAddress.objects.filter(contact=Contact.objects.get()).count() == 2
        made = Merge.objects.get()
    said = at_once(tenant, lambda: undo(made), lambda: undo(made))
    assert said[0] == ""
    assert "undone already" in said[1]
    with inside(tenant):
        assert Contact.objects.count() == 2
        assert not MergedIdentity.objects.exists()


def test_L35_an_opt_out_that_is_just_being_written_is_waited_for() -> None:
    tenant = TenantFactory(name="River Trust waits")
    one, other = ContactFactory(tenant=tenant), ContactFactory(tenant=tenant)
    with inside(tenant):
        news = ContactListFactory(name="Newsletter")
        for contact in (one, other):
            ListMembershipFactory(contact=contact, contact_list=news)
    written = Event()

    def opt_out() -> None:
        with transaction.atomic():
            ListMembership.objects.filter(contact=other).update(do_not_contact=True)
            written.set()
            sleep(0.7)  # long enough for the merge to have read what is there now

    def merged() -> None:
        assert written.wait(timeout=20)
        merge(one, other)

    assert at_once(tenant, opt_out, merged) == ["", ""]
    with inside(tenant):
        assert ListMembership.objects.get().do_not_contact
