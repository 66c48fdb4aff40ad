"""Two people press Merge, or Undo, at the same moment: one wins, the other gets a sentence, nothing is done twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from contacts.duplicates.merge import MergeRefused, merge
from contacts.duplicates.unmerge import undo
from contacts.models import Contact, EmailAddress, Merge, MergedIdentity
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory, TenantFactory

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
