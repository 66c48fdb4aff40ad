"""Choosing an organization, forms of another one, the table of roles, and an organization's settings."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from contacts.models import Contact, HistoryEntry, Tag
from contacts.tenancy.forms import time_zone_choices
from contacts.tenancy.models import Role, Tenant
from contacts.tenancy.roles import AREAS, CHANGE, SEE, may
from contacts.tenancy.tags import FIELD
from contacts.tenancy.walls import in_tenant
from tests.factories import ContactFactory, ContactListFactory
from tests.tenancy.people import logged_in
from tests.tenancy.walk import Fields

pytestmark = [pytest.mark.django_db, pytest.mark.once]


# --- choosing ---


def test_the_current_organization_is_named_on_every_page(tenant: Tenant) -> None:
    client = logged_in(tenant)
    for path in ("", "contacts/contact/", "contacts/contact/add/", "organization/", "nowhere/", "password_change/"):
        assert tenant.name in client.get(f"/admin/{path}").content.decode(), path


def test_who_has_one_organization_is_not_asked_to_choose(tenant: Tenant) -> None:
    assert "/organization/choose/" not in logged_in(tenant).get("/admin/").content.decode()


def test_who_has_several_chooses_and_stays_there(tenant: Tenant, neighbour: Tenant) -> None:
    ContactFactory(tenant=neighbour, last_name="Neighbourly")
    client = logged_in(tenant, Role.OWNER, neighbour)
    client.post("/organization/choose/", {"organization": tenant.pk})
    assert "Neighbourly" not in client.get("/admin/contacts/contact/").content.decode()
    answer = client.post("/organization/choose/", {"organization": neighbour.pk})
    assert answer["Location"] == "/admin/"
    assert "Neighbourly" in client.get("/admin/contacts/contact/").content.decode()


def test_T2_nobody_chooses_an_organization_where_they_have_no_place(tenant: Tenant, neighbour: Tenant) -> None:
    client = logged_in(tenant)
    assert client.post("/organization/choose/", {"organization": neighbour.pk}).status_code == 404
    session = client.session
    session["tenant"] = neighbour.pk
    session.save()
    assert neighbour.name not in client.get("/admin/").content.decode()


@pytest.mark.parametrize("back", ["https://evil.test/", "//evil.test/", "javascript:alert(1)"])
def test_choosing_never_leads_to_another_server(back: str, tenant: Tenant, neighbour: Tenant) -> None:
    client = logged_in(tenant, Role.OWNER, neighbour)
    answer = client.post("/organization/choose/", {"organization": tenant.pk, "next": back})
    assert answer["Location"] == "/admin/"


def test_X5_choosing_needs_a_post_with_a_token(tenant: Tenant, neighbour: Tenant) -> None:
    client = logged_in(tenant, Role.OWNER, neighbour)
    assert client.get("/organization/choose/", {"organization": neighbour.pk}).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post("/organization/choose/", {"organization": neighbour.pk}).status_code == 403


# --- a form of another organization ---


def open_form(client: Client, path: str) -> dict[str, Any]:
    """What a browser would send from that page."""
    return Fields(client.get(path).content.decode()).values


def test_T3_a_form_opened_under_another_organization_saves_nothing_and_says_so(
    tenant: Tenant, neighbour: Tenant
) -> None:
    client = logged_in(tenant, Role.OWNER, neighbour)
    client.post("/organization/choose/", {"organization": tenant.pk})
    form = open_form(client, "/admin/contacts/tag/add/") | {"name": "volunteer"}
    assert form[FIELD] == str(tenant.pk)
    client.post("/organization/choose/", {"organization": neighbour.pk})  # in another tab
    answer = client.post("/admin/contacts/tag/add/", form)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Nothing was saved" in page and f"Go back to {tenant.name}" in page
    for one in (tenant, neighbour):
        with in_tenant(one):
            assert not Tag.objects.exists()
    # The button on that page leads back, and there the form is saved.
    client.post("/organization/choose/", {"organization": tenant.pk, "next": "/admin/contacts/tag/add/"})
    assert client.post("/admin/contacts/tag/add/", form).status_code == 302
    with in_tenant(tenant):
        assert Tag.objects.count() == 1


@pytest.mark.parametrize("sent", [None, "", "x", "999999"])
def test_T3_a_form_that_does_not_say_for_whom_saves_nothing_when_there_are_several(
    sent: str | None, tenant: Tenant, neighbour: Tenant
) -> None:
    client = logged_in(tenant, Role.OWNER, neighbour)
    answer = client.post("/admin/contacts/tag/add/", {"name": "volunteer"} | ({} if sent is None else {FIELD: sent}))
    assert answer.status_code == 409
    assert "not clear for which organization" in answer.content.decode()


def test_control_the_same_form_is_saved_while_the_organization_stays(tenant: Tenant, neighbour: Tenant) -> None:
    client = logged_in(tenant, Role.OWNER, neighbour)
    form = open_form(client, "/admin/contacts/tag/add/") | {"name": "volunteer"}
    assert client.post("/admin/contacts/tag/add/", form).status_code == 302


def test_logging_out_works_from_every_tab(tenant: Tenant, neighbour: Tenant) -> None:
    client = logged_in(tenant, Role.OWNER, neighbour)
    assert client.post("/admin/logout/", {FIELD: "999"}).status_code == 200
    assert client.get("/admin/").status_code == 302


# --- roles ---


def test_the_table_of_roles_names_each_role_in_each_area() -> None:
    for area, granted in AREAS.items():
        assert set(granted) == set(Role), area
    assert not may(None, SEE, "contacts")
    assert not may("superuser", SEE, "contacts")


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_the_table_says(role: str, tenant: Tenant) -> None:
    client = logged_in(tenant, role)
    registry: dict[Any, Any] = dict(admin.site._registry)
    for model, model_admin in registry.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        sees, changes = may(role, SEE, model_admin.area), may(role, CHANGE, model_admin.area)
        assert client.get(base, follow=True).status_code == (200 if sees else 403)
        read_only = not model_admin.has_add_permission.__func__.__qualname__.startswith("Walled")  # a ledger
        answer = client.get(f"{base}add/")
        assert answer.status_code == (200 if changes and not read_only else 403), base
        if not changes:
            assert "may not" in answer.content.decode() or "read, not changed" in answer.content.decode()


def test_a_refusal_names_who_may(tenant: Tenant) -> None:
    page = logged_in(tenant, Role.VIEWER).get("/admin/contacts/contact/add/").content.decode()
    assert "As viewer you may not change this. Ask somebody who is owner or manager or staff" in page


def test_a_viewer_gets_pages_without_buttons_that_change(tenant: Tenant) -> None:
    contact, contact_list = ContactFactory(tenant=tenant), ContactListFactory(tenant=tenant)
    client = logged_in(tenant, Role.VIEWER)
    for path in (f"contact/{contact.pk}/change/", f"contactlist/{contact_list.pk}/change/", "contact/"):
        page = client.get(f"/admin/contacts/{path}").content.decode()
        for button in ('name="_save"', "Take off", 'value="delete_contacts"', "/add/", "/delete/"):
            assert button not in page, f"{button} on {path}"
    assert contact.last_name in client.get(f"/admin/contacts/contact/{contact.pk}/change/").content.decode()


# --- settings ---

SETTINGS = {
    "name": "River Trust", "time_zone": "America/Chicago", "currency": "cad", "fiscal_year_start": 7,
    "phone_region": "CA", "street": "1 Mill Lane", "city": "Kingston", "state": "ON", "postal_code": "K7L",
    "country": "CA", "from_name": "River Trust News", "from_email": "news@rivertrust.test",
}  # fmt: skip


def test_an_owner_changes_the_settings_and_the_history_says_what(tenant: Tenant, neighbour: Tenant) -> None:
    client = logged_in(tenant)
    assert client.post("/admin/organization/", SETTINGS).status_code == 302
    tenant.refresh_from_db()
    assert (tenant.currency, tenant.fiscal_year_start, tenant.time_zone) == ("CAD", 7, "America/Chicago")
    with in_tenant(tenant):
        entry = HistoryEntry.objects.get(what="organization settings")
    assert entry.changes["time_zone"] == ["America/New_York", "America/Chicago"]
    assert "name" not in entry.changes
    neighbour.refresh_from_db()
    assert neighbour.time_zone == "America/New_York"
    assert "America/Chicago" in client.get("/admin/contacts/historyentry/").content.decode()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.STAFF, Role.VIEWER])
def test_only_an_owner_changes_the_settings(role: str, tenant: Tenant) -> None:
    client = logged_in(tenant, role)
    page = client.get("/admin/organization/").content.decode()
    assert "Only an owner" in page and ">Save settings<" not in page
    answer = client.post("/admin/organization/", SETTINGS)
    assert answer.status_code == 403
    tenant.refresh_from_db()
    assert tenant.time_zone == "America/New_York"


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Mars/Base"), ("currency", "dollars"), ("fiscal_year_start", 13), ("name", "")]
)
def test_a_wrong_setting_is_refused_on_the_page(field: str, value: Any, tenant: Tenant) -> None:
    answer = logged_in(tenant).post("/admin/organization/", SETTINGS | {field: value})
    assert answer.status_code == 200
    tenant.refresh_from_db()
    assert tenant.street == ""


def test_zones_are_offered_under_the_names_of_today_and_the_present_one_under_its_own() -> None:
    def offered(present: str = "") -> set[str]:
        return {name for _, zones in time_zone_choices(present) for name, _ in zones}

    assert {"UTC", "America/New_York", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} <= offered()
    old = "America/Argentina/ComodRivadavia"
    assert old not in offered() and old in offered(present=old)


def test_times_are_shown_in_the_organizations_time_zone(tenant: Tenant) -> None:
    from datetime import UTC, datetime

    Tenant.objects.filter(pk=tenant.pk).update(time_zone="Asia/Tokyo")
    contact = ContactFactory(tenant=tenant)
    with in_tenant(tenant):
        HistoryEntry.objects.filter(contact_uid=contact.uid).update(at=datetime(2026, 3, 1, 20, 30, tzinfo=UTC))
    page = logged_in(tenant).get(f"/admin/contacts/contact/{contact.pk}/history/").content.decode()
    assert "Mar 2, 2026, 05:30" in page
    assert Contact.__name__ in page
