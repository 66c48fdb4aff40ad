"""However many rows an organization has, each list page and each choice in a form takes the same number of queries."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import IntegrityError, connection, models, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts import search
from contacts.models import (
    BulkChange,
    ConsentEvent,
    Contact,
    ContactList,
    ContactTag,
    EmailAddress,
    HistoryEntry,
    ListMembership,
    PhoneNumber,
    SavedFilter,
    SearchText,
    Tag,
)
from contacts.tenancy.models import StaffMember, Tenant, TenantOwned, User
from contacts.tenancy.walls import TenantQuerySet
from contacts.tenancy.walls import in_tenant as inside
from tests.tenancy.people import logged_in
from tests.tenancy.rows import value_for

FEW, MANY = 60, 240  # both more than a page
pytestmark = [pytest.mark.once, pytest.mark.django_db]


def plain(model: Any, rows: list[Any]) -> list[Any]:
    """Written at once, without history: only the pages are looked at here."""
    return TenantQuerySet.bulk_create(model.objects.all(), rows, batch_size=200)


def grow(tenant: Tenant, start: int, end: int, rows: dict[Any, Any], with_others: bool = True) -> None:
    """Rows of every kind that has a page, so that there are `end` of each; `rows` are those they all point to."""
    numbers = range(start, end)
    with inside(tenant):
        rows[User], rows[StaffMember] = User.objects.first(), StaffMember.objects.first()
        contacts = plain(Contact, [Contact(first_name=f"Ana{n}", last_name=f"Ruiz{n}") for n in numbers])
        mails = [f"ana{n}@rivermail.test" for n in numbers]
        plain(EmailAddress, [
            EmailAddress(contact=c, address=mail, address_key=mail, is_primary=True)
            for c, mail in zip(contacts, mails, strict=True)
        ])  # fmt: skip
        plain(PhoneNumber, [PhoneNumber(contact=c, number="+14155550100") for c in contacts])
        lists = plain(ContactList, [ContactList(name=f"List {n}", synchronize=True) for n in numbers])
        tags = plain(Tag, [Tag(name=f"Tag {n}") for n in numbers])
        for step in range(3):  # each on several lists, with several tags
            shifted = contacts[step:] + contacts[:step]
            plain(ListMembership, [
                ListMembership(contact=c, contact_list=one) for c, one in zip(shifted, lists, strict=True)
            ])  # fmt: skip
            plain(ContactTag, [ContactTag(contact=c, tag=one) for c, one in zip(shifted, tags, strict=True)])
        plain(ConsentEvent, [
            ConsentEvent(contact_uid=c.uid, contact_name=str(c), kind="opt_out", by="person", address=mail)
            for c, mail in zip(contacts, mails, strict=True)
        ])  # fmt: skip
        plain(HistoryEntry, [
            HistoryEntry(contact_uid=c.uid, verb="changed", what="contact", label=str(c), by="staff",
                         changes={"last_name": ["Old", "New"]})
            for c in contacts
        ])  # fmt: skip
        made = {Contact, ContactList, Tag, ConsentEvent, HistoryEntry}
        for model in admin.site._registry if with_others else ():
            if model not in made:
                others(model, tenant, contacts, rows)
        search.refresh(c.uid for c in contacts)
        assert all(m.objects.count() >= end for m in made | {SearchText})


def others(model: Any, tenant: Tenant, contacts: list[Contact], rows: dict[Any, Any]) -> None:
    """Rows of any other kind, made from the model, one for each contact; of some there can only be one."""
    made = []
    for n, contact in enumerate(contacts):
        rows[Contact] = contact
        values = {
            field.name: value
            for field in model._meta.concrete_fields
            if not field.primary_key and (value := value_for(field, rows, tenant, f"Word{contact.pk}x{n}")) is not None
        }
        made.append(model(**values))
    try:
        with transaction.atomic():
            plain(model, made)
    except IntegrityError:
        model.objects.exists() or plain(model, made[:1])
    rows.setdefault(model, model.objects.first())  # what others point to


def pages() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every list page, plain and searched, and every choice of a row in a form."""
    for model, page in admin.site._registry.items():
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        yield url, {}
        yield url, {"p": "2"}
        if page.search_fields:
            yield url, {"q": "a"}
    for model in {m for m in admin.site._registry if issubclass(m, TenantOwned)} | {ListMembership, ContactTag}:
        for field in model._meta.local_fields:
            if isinstance(field, models.ForeignKey) and field.remote_field.model in admin.site._registry:
                link = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
                yield reverse("admin:autocomplete"), {**link, "field_name": field.name, "term": "a"}


def queries_of(client: Client) -> dict[str, int]:
    """{page: number of queries}."""
    found = {}
    client.get("/admin/contacts/contact/", {"q": "a"})  # what is looked up once for each process
    for url, query in pages():
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(url, query)
        if answer.status_code == 200:
            found[f"{url} {query}"] = len(captured)
    return found


def test_every_list_page_and_choice_takes_the_same_queries_at_two_sizes(tenant: Tenant) -> None:
    client, rows = logged_in(tenant), dict[Any, Any]()
    grow(tenant, 0, FEW, rows)
    few = queries_of(client)
    grow(tenant, FEW, MANY, rows)
    many = queries_of(client)
    assert many == few
    assert len(few) > 25, "do we still find the pages?"
    assert max(few.values()) <= 25, few
    assert any("autocomplete" in page for page in few)


def test_the_page_of_contacts_takes_the_same_queries_with_each_filter_and_order(tenant: Tenant) -> None:
    client, rows = logged_in(tenant), dict[Any, Any]()

    def counts() -> list[int]:
        found = []
        with inside(tenant):
            a_list, a_tag = ContactList.objects.first(), Tag.objects.first()
        looks: list[dict[str, Any]] = [
            {"o": "1"}, {"o": "-5"}, {"o": "6"}, {"list": a_list.pk}, {"tag": a_tag.pk}, {"email": "ok"},
            {"email": "none"}, {"do_not_contact": "no"}, {"q": "ana ruiz"}, {"q": "(415) 555-0100"},
        ]  # fmt: skip
        for query in looks:
            with CaptureQueriesContext(connection) as captured:
                assert client.get("/admin/contacts/contact/", query).status_code == 200
            found.append(len(captured))
        return found

    grow(tenant, 0, FEW, rows, with_others=False)
    counts()
    few = counts()
    grow(tenant, FEW, MANY, rows, with_others=False)
    assert counts() == few


def test_many_saved_filters_and_bulk_changes_cost_the_page_nothing(tenant: Tenant) -> None:
    client = logged_in(tenant)
    with inside(tenant):
        SavedFilter.objects.create(name="One", query="q=1")
    client.get("/admin/contacts/contact/")
    with CaptureQueriesContext(connection) as few:
        client.get("/admin/contacts/contact/")
    with inside(tenant):
        plain(SavedFilter, [SavedFilter(name=f"Filter {n}", query=f"q={n}x") for n in range(30)])
        plain(BulkChange, [BulkChange(verb="delete_contacts", sentence="Delete") for _ in range(30)])
    with CaptureQueriesContext(connection) as many:
        client.get("/admin/contacts/contact/")
    assert len(many) == len(few)
