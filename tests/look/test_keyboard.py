"""Going by keyboard, and by thumb: past the menu, on from a search, and many rows on a small page."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from tests.factories import ContactFactory, ContactListFactory, ListMembershipFactory
from tests.look.pages import logged_in_owner

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
FOCUS = "(document.activeElement.innerText || document.activeElement.getAttribute('aria-label') || '').trim()"


@pytest.fixture
def people(tenant: Tenant) -> None:
    """Two who can be found, one of them without anything else."""
    with in_tenant(tenant):
        ana = ContactFactory(first_name="Ana", last_name="Ruiz", email="ana@rivermail.test")
        ListMembershipFactory(contact=ana, contact_list=ContactListFactory(name="Newsletter"))
        ContactFactory(first_name="Ben", last_name="Ruiz", email="ben@rivermail.test")


def opened(look_at: Any, tenant: Tenant, width: int, path: str) -> Page:
    window = look_at(width, False)
    window.page.goto("/admin/login/")
    assert window.page.evaluate("document.activeElement.name") == "username", "one may type at once"
    window.take_session(logged_in_owner(tenant))
    window.page.goto(path)
    return window.page


def box(element: Locator) -> Any:
    """Where it stands, and how large it is."""
    return element.bounding_box()


def test_two_keys_lead_past_the_menu_and_a_search_leads_to_what_it_found(
    look_at: Any, tenant: Tenant, people: None
) -> None:
    page = opened(look_at, tenant, 1440, "/admin/contacts/contact/")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "Skip to content"
    skip = page.locator(".al-skip").first
    assert box(skip)["y"] >= 0, "it can be seen by whoever stands on it"
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "Skip to the contacts"
    assert box(skip)["y"] < -10, "and by nobody else"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "Choose Ana Ruiz"
    page.fill("#searchbar", "ruiz")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=ruiz*")
    page.wait_for_function(f"{FOCUS} === 'Ana Ruiz'")
    page.fill("#searchbar", "nobody of that name")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=nobody**")
    page.wait_for_function("document.activeElement.id === 'searchbar'")


def test_the_skip_leads_to_the_first_field_of_a_form(look_at: Any, tenant: Tenant, people: None) -> None:
    page = opened(look_at, tenant, 1440, "/admin/contacts/contact/add/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#content') !== null"), page.evaluate(FOCUS)


def test_on_a_phone_a_contact_is_three_lines_the_name_first_and_nothing_empty(
    look_at: Any, tenant: Tenant, people: None
) -> None:
    page = opened(look_at, tenant, 390, "/admin/contacts/contact/")
    rows = page.locator("#result_list .data-row")
    shown = [row.inner_text().split("\n") for row in rows.all()]
    words = [[line.strip() for line in lines if line.strip()] for lines in shown]
    assert [line[0] for line in words] == ["Ana Ruiz", "Ben Ruiz"]
    assert all({"Lists", "Tags", "Select record"}.isdisjoint(line) for line in words)
    assert box(rows.nth(0))["height"] <= 110 and box(rows.nth(1))["height"] <= 80
    assert page.locator("h1").evaluate("(e) => e.scrollWidth <= e.clientWidth"), "the title is there in full"
