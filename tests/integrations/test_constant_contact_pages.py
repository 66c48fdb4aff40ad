"""Connecting Constant Contact by the pages (L1, L2, L4): the walk there and back with PKCE, and what the cards say."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from contacts.tenancy.models import Tenant
from integrations import connecting
from integrations.connecting import challenge_of
from integrations.models import Connection, Credential
from integrations.sync import notices
from tests.integrations.desk import SETUP, Desk, desk, plain, said

# The walk of tests/tenancy opens these pages on PostgreSQL, too.
pytestmark = [pytest.mark.once, pytest.mark.usefixtures("in_tenant")]
PAGES = f"{SETUP}constant_contact/"
REVIEW = {
    "sent": "names", "wins_address": "ours", "wins_profile": "ours", "brake_people": "25", "brake_percent": "5",
}  # fmt: skip


@pytest.fixture
def owner(tenant: Tenant, constant_contact: Any, settings: Any) -> Desk:
    constant_contact.register_redirect(f"{settings.PUBLIC_URL}/integrations/constant_contact/callback/")
    return desk(tenant)


def leave(owner: Desk) -> str:
    """Press Connect; the vendor's address that one is sent to."""
    return str(owner.post(f"{PAGES}connect/").context["url"])


def decide(address: str, login: str = "river", decision: str = "allow") -> str:
    """Sign in there and press Allow or Cancel; the path that leads back."""
    asked = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
    page, form = address.partition("?")[0], {**asked, "login": login, "password": "sandbox"}
    ticket = re.search(r'name="ticket"[^>]*value="([^"]+)"', requests.post(page, data=form, timeout=10).text)
    assert ticket
    answer = requests.post(
        page.replace("/authorize", "/allow"), data={"ticket": ticket[1], "decision": decision}, allow_redirects=False,
        timeout=10,
    )  # fmt: skip
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def connect(owner: Desk, login: str = "river") -> Any:
    return owner.get(decide(leave(owner), login), follow=True)


def card(owner: Desk) -> str:
    """What the card says."""
    page = owner.get(SETUP).content.decode()
    return plain(page[page.index('id="constant_contact"') :].partition("</section>")[0])


def state() -> str:
    return Connection.objects.get(provider="constant_contact").state


def test_L1_connect_leads_over_the_vendor_to_a_review_of_the_account_and_then_it_is_connected(owner) -> None:
    assert "Not connected" in card(owner)
    address = leave(owner)
    asked = parse_qs(urlsplit(address).query)
    pending = owner.session[connecting.PENDING][asked["state"][0]]
    assert asked["code_challenge"] == [challenge_of(pending[4])] and asked["code_challenge_method"] == ["S256"]
    assert pending[4] not in address and set(asked["scope"][0].split()) == {
        "account_read", "contact_data", "offline_access",
    }  # fmt: skip
    response = owner.get(decide(address), follow=True)
    assert "Connected to Constant Contact as River Trust. Please review these settings." in said(response)
    page = response.content.decode()
    assert 'value="1 Mill Lane, Portland, OR 97201, US"' in page and 'value="office@rivertrust.test"' in page
    assert "paid for, more than once" not in page  # nobody is there twice
    assert state() == "setup"
    saved = owner.post(f"{PAGES}settings/", REVIEW, follow=True)
    assert "Now press Sync" in said(saved)
    assert state() == "ready" and "River Trust" in card(owner)


def test_L1_cancelling_or_a_state_that_is_not_ours_leaves_it_not_connected_and_says_so(owner) -> None:
    cancelled = owner.get(decide(leave(owner), decision="cancel"), follow=True)
    assert "Not connected: access was not allowed at Constant Contact" in said(cancelled)
    back = decide(leave(owner))
    forged = re.sub(r"state=[^&]+", "state=forged", back)
    assert "does not belong to a Connect that you started here" in said(owner.get(forged, follow=True))
    owner.get(back, follow=True)
    replayed = owner.get(back, follow=True)
    assert "Not connected" in said(replayed)
    Connection.objects.all().delete()
    assert not Credential.objects.exists()


def test_L1_a_code_that_somebody_else_caught_is_worth_nothing_to_them(owner, tenant, constant_contact) -> None:
    """Their own session holds another verifier."""
    caught = parse_qs(urlsplit(decide(leave(owner))).query)["code"][0]
    thief = desk(tenant)
    own = parse_qs(urlsplit(leave(thief)).query)["state"][0]
    response = thief.get(f"/integrations/constant_contact/callback/?code={caught}&state={own}", follow=True)
    assert "Constant Contact did not confirm the permission" in said(response)
    assert not Credential.objects.exists()


def test_L1_without_an_application_key_the_card_says_what_is_missing(owner, settings) -> None:
    settings.CONSTANT_CONTACT_CLIENT_ID = ""
    assert "into the settings CONSTANT_CONTACT_CLIENT_ID" in card(owner)
    assert f"{PAGES}connect/" not in owner.get(SETUP).content.decode()
    assert "cannot be connected yet" in said(owner.post(f"{PAGES}connect/", follow=True))


def test_L2_after_a_revoked_grant_the_card_asks_to_reconnect_and_that_goes_on_where_it_was(owner) -> None:
    connect(owner)
    owner.post(f"{PAGES}settings/", REVIEW, follow=True)
    connection = Connection.objects.get()
    connection.runs.create(state="done", confirmed_at=connection.connected_at)
    notices.reconnect_needed(connection, "Constant Contact no longer accepts the permission that was given.")
    assert "Reconnect needed" in card(owner) and "no longer accepts the permission" in card(owner)
    assert "Connected to Constant Contact again" in said(connect(owner))
    assert state() == "active"


def test_L2_another_account_is_asked_about_and_not_just_taken(owner) -> None:
    connect(owner)
    response = connect(owner, "harbor")
    assert "Harbor Food Bank" in plain(response.content.decode())
    assert Connection.objects.get().account_id == "p07r1v2rtrust"


def test_L4_disconnect_erases_the_tokens_and_keeps_the_history(owner, constant_contact) -> None:
    connect(owner)
    calls = len(constant_contact.calls.since())
    owner.post(f"{PAGES}disconnect/", follow=True)
    assert not Credential.objects.exists()
    assert state() == "not_connected" and len(constant_contact.calls.since()) == calls


def test_no_secret_is_on_any_page(owner) -> None:
    pages = [connect(owner).content.decode(), owner.get(SETUP).content.decode()]
    pages.append(owner.get(f"{PAGES}settings/").content.decode())
    secret = Credential.objects.get().read()
    assert not any(str(secret[name]) in page for page in pages for name in ("access_token", "refresh_token"))


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_L1_only_owners_and_managers_connect(tenant, constant_contact, role) -> None:
    assert desk(tenant, role).post(f"{PAGES}connect/").status_code == 403
    assert not Connection.objects.exists()


def test_a_neighbours_connection_is_not_found(owner, neighbour) -> None:
    connect(owner)
    other = desk(neighbour)
    assert "Not connected" in card(other)
    assert other.get(f"{PAGES}settings/").status_code == 404
