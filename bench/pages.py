"""Search and list pages as people use them: requests through the application itself, from log-in to the last byte."""

import time
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from bench import world
from contacts import search, table_statistics
from contacts.models import Contact, ContactList, PhoneNumber, Tag
from contacts.services import add_tag
from contacts.tenancy.walls import in_tenant

WARM, TIMES = 2, 7  # each page so often


def prepare(contacts: int) -> dict[str, float]:
    """So many contacts, with phones and a tag, and what search needs to find them."""
    world.people(contacts)
    tenant, _ = world.ours()
    with in_tenant(tenant):
        pks = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
        numbers = [PhoneNumber(contact_id=pk, number=f"+1415{pk % 10**7:07d}") for pk in pks[::4]]
        world.insert(PhoneNumber, numbers)
        add_tag(Tag.objects.create(name="volunteer"), Contact.objects.filter(pk__in=pks[::100]))
        started = time.perf_counter()
        while search.fill():
            pass
        spent = time.perf_counter() - started
    if not table_statistics.take():
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as its autovacuum would within a minute
    return {"texts": spent}


def looks() -> list[tuple[str, str, dict[str, Any]]]:
    """(name, address, query) of each page that is measured."""
    contacts = reverse("admin:contacts_contact_changelist")
    autocomplete = reverse("admin:autocomplete")
    choice = {"app_label": "contacts", "model_name": "listmembership", "field_name": "contact"}
    with in_tenant(world.ours()[0]):
        newsletter, tag = ContactList.objects.get().pk, Tag.objects.get().pk
    return [
        ("search: one person", contacts, {"q": "amara.abara.0@crowdmail.test"}),
        ("search: a frequent name", contacts, {"q": "okafor"}),
        ("search: part of a name", contacts, {"q": "mar"}),
        ("search: two words", contacts, {"q": "priya novak"}),
        ("search: part of an address", contacts, {"q": "iris.jan"}),
        ("search: what all have", contacts, {"q": "crowdmail"}),
        ("search: what all have, on a list", contacts, {"q": "crowdmail", "list": newsletter}),
        ("search: what all have, in a form", autocomplete, {**choice, "term": "crowdmail"}),
        ("search: a phone number", contacts, {"q": "(415) 000-0101"}),
        ("search: two letters", contacts, {"q": "pa"}),
        ("search: nobody", contacts, {"q": "zzzqqq"}),
        ("choice of a contact in a form", autocomplete, {**choice, "term": "okaf"}),
        ("contacts", contacts, {}),
        ("contacts by name, backwards", contacts, {"o": "-1"}),
        ("contacts by Do Not Contact", contacts, {"o": "5"}),
        ("contacts by last change", contacts, {"o": "-6"}),
        ("contacts, last page", contacts, {"p": "999999"}),
        ("contacts of a list", contacts, {"list": newsletter}),
        ("contacts with a tag", contacts, {"tag": tag}),
        ("contacts without an address", contacts, {"email": "none"}),
        ("lists", reverse("admin:contacts_contactlist_changelist"), {}),
        ("a list that everybody is on", reverse("admin:contacts_contactlist_change", args=[newsletter]), {}),
        ("first page", reverse("admin:index"), {}),
        ("history", reverse("admin:contacts_historyentry_changelist"), {}),
    ]


def measure() -> dict[str, dict[str, Any]]:
    """{page: its queries, milliseconds in all, of these computed here, and in the database}."""
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(world.owner())
    return {name: one(client, url, query) for name, url, query in looks()}


def one(client: Client, url: str, query: dict[str, Any]) -> dict[str, Any]:
    """The page several times, and of each figure the smallest: what it costs when nothing else is going on."""
    found = []
    for _ in range(WARM + TIMES):
        watch = Watch()
        started, computed = time.perf_counter(), time.process_time()
        with connection.execute_wrapper(watch):
            answer = client.get(url, query)
            answer.content  # noqa: B018  (drawn to the end)
        spent, cpu = time.perf_counter() - started, time.process_time() - computed
        if answer.status_code != 200:
            raise RuntimeError(f"{url} {query} answered {answer.status_code}.")
        found.append((watch.queries, spent * 1000, cpu * 1000, watch.seconds * 1000))
    return dict(zip(("queries", "ms", "cpu", "database"), map(min, zip(*found[WARM:], strict=True)), strict=True))


class Watch:
    """Counts queries and what they take: SQLite computes in this process, for PostgreSQL one waits."""

    def __init__(self) -> None:
        self.queries, self.seconds = 0, 0.0
        self.clock = time.thread_time if connection.vendor == "sqlite" else time.perf_counter

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        started = self.clock()
        try:
            return execute(sql, params, many, context)
        finally:
            self.queries, self.seconds = self.queries + 1, self.seconds + self.clock() - started
