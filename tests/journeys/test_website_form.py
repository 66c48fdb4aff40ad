"""A form is copied into a website, a visitor fills it in there, and a donation stands at the donor's (O10)."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from contacts.mail_status import mail_statuses
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Donation, FundraisingPage
from tests.factories import TenantFactory
from tests.gifts.donating import page_of
from tests.tenancy.people import logged_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
CHOICES = {"amounts": "25, 50", "button": "Send", "thanks": "Thank you, dear visitor.", "phone": "on", "news": "on"}


def copied(client: Client, row: FundraisingPage, host: str) -> str:
    """What staff copy."""
    address = f"/admin/gifts/fundraisingpage/{row.pk}/form/code/"
    return client.get(address, CHOICES, headers={"host": host}).content.decode()


def test_O10_a_visitor_of_another_website_gives_through_the_copied_form(page: Any, live_server: Any) -> None:
    tenant: Tenant = TenantFactory(name="River Trust on the web")
    row = page_of(tenant)
    code = copied(logged_in(tenant), row, live_server.url.removeprefix("http://"))
    page.set_content(f"<!doctype html><title>Our website</title><main>{code}</main>")
    page.get_by_label("First name").fill("Ana")
    page.get_by_label("Email address").fill("ana@rivermail.test")
    page.get_by_label("Phone number").fill("202 555 0123")
    page.get_by_label("50", exact=True).check()
    page.get_by_label("Send me news by email").check()
    page.get_by_role("button", name="Send").press("Enter")
    expect(page.get_by_role("status")).to_have_text("Thank you, dear visitor.")
    with in_tenant(tenant):
        donation = Donation.objects.select_related("gift__contact").get()
        ana = donation.gift.contact
        assert (donation.amount, donation.is_blind, ana.first_name) == (50, True, "Ana")
        assert mail_statuses([ana])[ana.pk] == "subscribed"
    # The answer of the first post is lost; whoever presses again has given once. They leave the question unticked.
    page.route("**/donations", lambda route: (route.fetch(), route.abort()), times=1)
    page.get_by_label("First name").fill("Eva")
    page.get_by_label("Email address").fill("eva@rivermail.test")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("That did not work.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_have_text("Thank you, dear visitor.")
    with in_tenant(tenant):
        eva = Donation.objects.get(gift__contact__first_name="Eva").gift.contact
        assert mail_statuses([eva])[eva.pk] == "unsubscribed"
        FundraisingPage.objects.update(takes_blind=False)
    page.get_by_label("Email address").fill("ben@rivermail.test")
    page.get_by_label("Another amount").fill("3.50")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("That did not work.")
    with in_tenant(tenant):
        assert Donation.objects.count() == 2
