"""A new colleague: invited by mail, chooses a password, and works; the owner sees that they were here."""

import re
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from contacts.models import HistoryEntry
from contacts.tenancy.models import StaffMember
from contacts.tenancy.walls import in_tenant
from tests.factories import PASSWORD, ContactFactory, StaffMemberFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


def test_X7_a_colleague_is_invited_joins_and_works(
    page: Page, log_in: Any, look_at: Any, live_server: Any, settings: Any, tenant: Any, neighbour: Any
) -> None:
    settings.PUBLIC_URL = live_server.url
    owner = UserFactory(first_name="Ana", last_name="Ruiz")
    StaffMemberFactory(tenant=tenant, user=owner, role="owner")
    ContactFactory(tenant=tenant, first_name="Cleo", last_name="Hart")
    ContactFactory(tenant=neighbour, first_name="Next", last_name="Door")

    # The owner invites.
    log_in(owner.email, PASSWORD)
    page.get_by_role("link", name="People and roles").click()
    page.get_by_role("link", name="Invite somebody").click()
    page.get_by_label("E-mail address").fill("ben@rivertrust.test")
    page.get_by_role("radio", name="Viewer may look").check()
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text("An invitation is on its way to ben@rivertrust.test.")).to_be_visible()
    expect(page.get_by_role("row", name="ben@rivertrust.test")).to_contain_text("Waiting")

    # The colleague opens the mail in a browser of their own.
    (letter,) = mail.outbox
    link = re.search(r"http\S+/join/\S+", str(letter.body))
    assert link is not None
    theirs = look_at(390, False).page
    theirs.goto(link.group())
    expect(theirs.get_by_role("heading", name="Join River Trust")).to_be_visible()
    expect(theirs.get_by_label("You log in with")).to_have_value("ben@rivertrust.test")
    theirs.get_by_label("First name").fill("Ben")
    theirs.get_by_label("Last name").fill("Okoro")
    theirs.get_by_label("Choose a password").fill("short")
    theirs.get_by_label("The same password again").fill("short")
    theirs.get_by_role("button", name="Join River Trust").click()
    expect(theirs.get_by_text("This password is too short.")).to_be_visible()
    theirs.get_by_label("Choose a password").fill("kayak at dawn, twice")
    theirs.get_by_label("The same password again").fill("kayak at dawn, twice")
    theirs.get_by_role("button", name="Join River Trust").click()

    # They stand on the first page, with the menu of their role.
    expect(theirs.get_by_text("Welcome to River Trust.")).to_be_visible()
    theirs.set_viewport_size({"width": 1440, "height": 900})
    menu = theirs.locator("#nav-sidebar")
    expect(menu.get_by_role("link", name="Contacts")).to_be_visible()
    expect(menu.get_by_role("link", name="Exports")).to_have_count(0)
    menu.get_by_role("link", name="Contacts").click()
    expect(theirs.get_by_role("link", name="Cleo Hart")).to_be_visible()
    expect(theirs.get_by_text("Next Door")).to_have_count(0)
    theirs.goto("/admin/people/")
    expect(theirs.get_by_text("Only an owner invites people and changes roles.")).to_be_visible()

    # The link is used up, and the owner sees the login.
    theirs.goto(link.group())
    expect(theirs.get_by_role("heading", name="This link no longer works")).to_be_visible()
    page.reload()
    row = page.get_by_role("row", name="Ben Okoro")
    expect(row).to_contain_text("Viewer")
    expect(row).not_to_contain_text("never yet")

    # The owner removes them: the next click finds the door closed.
    row.get_by_role("link", name="Change Ben Okoro").click()
    page.get_by_role("link", name="Remove …").click()
    page.get_by_role("button", name="Remove Ben Okoro").click()
    expect(page.get_by_text("Ben Okoro no longer has a place in River Trust.")).to_be_visible()
    theirs.goto("/admin/contacts/contact/")
    expect(theirs.get_by_text("has no place in any organization yet")).to_be_visible()
    with in_tenant(tenant):
        assert StaffMember.objects.get().user == owner
        told = HistoryEntry.objects.filter(what="place in the organization").order_by("pk")
        assert [(e.verb, e.actor_label) for e in told] == [("added", "Ben Okoro"), ("deleted", "Ana Ruiz")]
    with in_tenant(neighbour):
        assert not StaffMember.objects.exists()
