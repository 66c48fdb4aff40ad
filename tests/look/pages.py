"""Which pages there are to look at: every address of the staff's site, and whatever else their links lead to."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from django.test import Client
from django.urls import Resolver404, resolve

from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.walls import in_tenant
from tests.factories import ContactFactory, ContactListFactory, ListMembershipFactory, UserFactory
from tests.tenancy.people import place
from tests.tenancy.rows import fill
from tests.tenancy.walk import Walk, addresses, drawn_once

WIDE = "A-name-that-is-longer-than-a-telephone-is-wide-and-has-no-space-in-it"


def furnish(tenant: Tenant) -> dict[Any, Any]:
    """A row of every kind, enough people for a second page, and some who need a lot of room."""
    rows = fill(tenant, "Kayak")
    with in_tenant(tenant):
        news = ContactListFactory(name="Newsletter of the friends of the river and its banks")
        for number in range(55):
            contact = ContactFactory(do_not_contact=number % 9 == 0, phone="+15035550123" if number % 3 else "")
            ListMembershipFactory(contact_list=news, contact=contact)
        ContactFactory(first_name=WIDE[:60], last_name=WIDE[:60], email=f"{WIDE[:60]}@{WIDE[:60].lower()}.test")
    return rows


def logged_in_owner(tenant: Tenant) -> Client:
    """The owner's browser, for finding the pages and for its cookie."""
    client = Client(raise_request_exception=False)
    client.force_login(place(UserFactory(first_name="Ana", last_name="Ruiz"), tenant, Role.OWNER).user)
    return client


def staff_pages(client: Client, tenant: Tenant, rows: dict[Any, Any]) -> list[str]:
    """The path of each page that can be opened, one for each view and kind of row; links are followed one level."""
    with drawn_once():
        return found(client, Walk(client, rows, {}, tenant), rows)


def found(client: Client, walk: Walk, rows: dict[Any, Any]) -> list[str]:
    """The same, asked with this walk's ids."""
    seen, pages, texts = set(), [], []
    for address in addresses():
        for path in walk.filled(address, rows):
            if (key := view_of(path)) not in seen and (text := opened(client, path)):
                seen.add(key)
                pages.append(path)
                texts.append(text)
    for path in [link for text in texts for link in links(text)]:
        if (key := view_of(path)) and key not in seen:
            seen.add(key)
            if opened(client, path):
                pages.append(path)
    return pages


def opened(client: Client, path: str) -> str:
    """The page as text; "" when it is no page: a redirect, a refusal, a file, a piece for a script or a frame."""
    answer = client.get(path)
    if answer.status_code >= 500:
        return "broken"  # to be looked at, and found out
    if answer.status_code != 200 or not answer.headers.get("Content-Type", "").startswith("text/html"):
        return ""
    if answer.headers.get("X-Frame-Options") == "SAMEORIGIN":
        return ""
    text = "" if answer.streaming else answer.content.decode()
    return text if "<html" in text else ""


def links(text: str) -> Iterator[str]:
    """Where the links of a page lead to, on our own site."""
    for found in re.findall(r'<a\s[^>]*href="([^"#]+)', text):
        path = unescape(found)
        if path.startswith("/") and not path.startswith("//"):
            yield path


def view_of(path: str) -> str:
    """The name of the view behind a path."""
    try:
        return str(resolve(path.partition("?")[0]).view_name)
    except Resolver404:
        return ""
