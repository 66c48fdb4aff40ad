"""A charity's first day: connect Mailchimp, look, Sync, edit a person, and hear that somebody unsubscribed there."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from contacts.models import ConsentEvent, Contact, ListMembership
from contacts.tenancy.acting import By
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection, Delivery, WebhookEvent
from tests.factories import (
    PASSWORD,
    ContactFactory,
    ContactListFactory,
    ListMembershipFactory,
    StaffMemberFactory,
    UserFactory,
)
from tests.journeys.conftest import PATIENCE, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
SLOW = PATIENCE * 1000


def there(sandbox: Any, address: str) -> dict[str, Any] | None:
    """What "Mailchimp" holds of this address."""
    audience = next(iter(sandbox.state({"account": "river"})["accounts"]["river"]["audiences"]))
    return next((m for m in audience["members"] if m["email_address"] == address), None)


def standing(sandbox: Any, address: str) -> str:
    """The status there, or ""."""
    member = there(sandbox, address)
    return str(member["status"]) if member else ""


def test_L1_L3_L5_L16_L21_L30_from_connect_to_an_unsubscribe_heard_back(
    page: Page, log_in: Any, installed: Any, worker: Path, tenant: Any, neighbour: Any
) -> None:
    owner = UserFactory(first_name="Ana", last_name="Ruiz")
    StaffMemberFactory(tenant=tenant, user=owner, role="owner")
    with in_tenant(tenant):
        news = ContactListFactory(name="Newsletter")
        ben = ContactFactory(first_name="Ben", last_name="Okoro", email="ben.okoro@rivermail.test")
        cleo = ContactFactory(first_name="Cleo", last_name="Hart", email="cleo.hart@rivermail.test")
        silent = ContactFactory(first_name="Dana", last_name="Silent", email="dana@rivermail.test", do_not_contact=True)
        for contact in (ben, cleo, silent):
            ListMembershipFactory(contact_list=news, contact=contact)
    with in_tenant(neighbour):
        ContactFactory(first_name="Next", last_name="Door", email="ben.okoro@rivermail.test")

    # Connect: over the vendor's log-in and Allow pages, and back.
    log_in(owner.email, PASSWORD)
    expect(page.get_by_text("No newsletter service is connected yet.")).to_be_visible()
    page.get_by_role("link", name="Connect a service").first.click()
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in to Sandbox Mailchimp")).to_be_visible()
    page.get_by_label("Username").fill("river")
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Connected to Mailchimp as River Trust.")).to_be_visible()

    # Review the organization's contact information.
    expect(page.get_by_label("Street address")).to_have_value("1 Mill Lane")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Now press Sync to see what would be sent")).to_be_visible()

    # Preview: nothing is sent.
    page.get_by_role("button", name="Sync", exact=True).click()
    expect(page.get_by_text("2 people will be added.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("1 list will be created.")).to_be_visible()
    expect(page.get_by_role("row", name="Dana Silent")).to_contain_text("Do Not Contact")
    assert standing(installed, "ben.okoro@rivermail.test") == ""

    # Sync.
    page.get_by_role("button", name="Confirm and send").click()
    expect(page.get_by_text("Finished", exact=True).first).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("link", name="Done 3")).to_be_visible()
    assert standing(installed, "ben.okoro@rivermail.test") == "subscribed"
    assert standing(installed, "cleo.hart@rivermail.test") == "subscribed"
    assert standing(installed, "dana@rivermail.test") == ""

    # Edit a contact, and see it over there.
    page.goto(f"/admin/contacts/contact/{ben.pk}/change/")
    page.locator("details.ct-part summary").first.click()
    page.get_by_label("First name").fill("Benedict")
    page.get_by_role("button", name="Save", exact=True).first.click()
    arrived = wait_for(
        lambda: (there(installed, "ben.okoro@rivermail.test") or {})["merge_fields"]["FNAME"] == "Benedict"
    )
    assert arrived, worker.read_text()[-4000:]
    page.goto(f"/admin/contacts/contact/{ben.pk}/change/")
    expect(page.get_by_text("because: Contact changed by Ana Ruiz").last).to_be_visible(timeout=SLOW)
    page.goto(installed.url)
    page.get_by_role("link", name=re.compile("River Friends")).first.click()
    page.get_by_role("link", name="cleo.hart@rivermail.test").click()

    # Cleo unsubscribes over there, and is left alone here.
    page.get_by_role("button", name="Unsubscribe").first.click()
    expect(page.get_by_text("Done: unsubscribe.")).to_be_visible()

    def is_silenced() -> bool:
        with in_tenant(tenant):
            return ListMembership.objects.get(contact=cleo).do_not_contact

    assert wait_for(is_silenced), worker.read_text()[-4000:]
    page.goto(f"/admin/contacts/contact/{cleo.pk}/change/")
    expect(page.locator("input[name='memberships-0-do_not_contact']")).to_be_checked()
    expect(page.get_by_text("Their own decision comes before every Sync.").first).to_be_visible()
    expect(page.get_by_text("cleo.hart@rivermail.test: unsubscribed").first).to_be_visible()
    with in_tenant(tenant):
        assert ConsentEvent.objects.filter(contact_uid=cleo.uid, by=By.PERSON).exists()
        assert not Contact.objects.get(pk=cleo.pk).do_not_contact, "on that list only"
        assert WebhookEvent.objects.filter(handled_at__isnull=False).exists()
        echoes = Delivery.objects.filter(subject_uid=cleo.uid).exclude(outcome="heard").exclude(cause="Sync")
        assert not echoes.exists(), "nothing is echoed back"
    assert standing(installed, "cleo.hart@rivermail.test") == "unsubscribed"

    with in_tenant(neighbour):
        assert not Connection.objects.exists()
        assert Contact.objects.get().first_name == "Next"
