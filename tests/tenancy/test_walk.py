"""T2, T3, X5: whoever walks through the staff's site sees and changes rows of their own organization only."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client
from django.urls import clear_url_caches, path

from contacts.models import Contact
from contacts.tenancy.models import Role, StaffMember, Tenant, User
from contacts.tenancy.walls import in_tenant
from tests.factories import UserFactory
from tests.tenancy import fingerprint
from tests.tenancy.rows import fill
from tests.tenancy.walk import PART, WORD, Walk, addresses, drawn_once

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def world(tenant: Tenant, neighbour: Tenant) -> dict[str, Any]:
    """Two organizations with a row of every kind; the neighbour's texts all carry the word."""
    Tenant.objects.filter(pk=neighbour.pk).update(name=f"{WORD} Trust", street=WORD, from_name=WORD)
    neighbour.refresh_from_db()
    return {"own": fill(tenant, "Ourword"), "foreign": fill(neighbour, WORD), "neighbour": neighbour, "tenant": tenant}


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """What is not there is drawn once."""
    with drawn_once():
        yield


def walk_as(role: str, world: dict[str, Any]) -> Walk:
    """Log in as somebody with this role in our organization."""
    user = UserFactory(email=f"{role}@rivermail.test")
    with in_tenant(world["tenant"]):
        StaffMember.objects.create(user=user, role=role)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return Walk(client, world["own"], world["foreign"], world["neighbour"])


def open_pages(walk: Walk) -> None:
    """Open every page of one's own; nothing in the database is another afterwards (X5)."""
    before = fingerprint.of_everything()
    walk.own_pages()
    assert walk.wrong == []
    assert fingerprint.of_everything() == before


def test_T2_X5_an_owner_who_looks_everywhere_sees_nothing_of_a_neighbour_and_changes_nothing(
    world: dict[str, Any],
) -> None:
    walk = walk_as(Role.OWNER, world)
    open_pages(walk)
    walk.foreign_pages(allowed={404})
    walk.queries()
    walk.autocompletes()
    assert (walk.leaks, walk.wrong) == ([], [])
    assert walk.answers > 300, "the walk has become short: does it still find the pages?"


def test_T3_an_owner_who_sends_every_form_and_action_changes_nothing_of_a_neighbour(world: dict[str, Any]) -> None:
    before = fingerprint.of_tenant(world["neighbour"])
    walk = walk_as(Role.OWNER, world)
    walk.forms()
    walk.actions()
    assert (walk.leaks, walk.wrong) == ([], [])
    changed = {url.split("/")[3] for url in walk.accepted if url.endswith("/change/")}
    assert {"contact", "contactlist", "tag"} <= changed, "our own values should be accepted"
    assert walk.answers > 100, "the walk has become short: does it still find the forms?"
    assert fingerprint.of_tenant(world["neighbour"]) == before
    assert fingerprint.crossed_links() == []


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
def test_T2_X5_other_roles_find_nothing_of_a_neighbour_either(role: str, world: dict[str, Any]) -> None:
    walk = walk_as(role, world)
    open_pages(walk)
    walk.foreign_pages(allowed={403, 404})
    assert (walk.leaks, walk.wrong) == ([], [])


def test_X5_a_viewer_changes_nothing_by_sending_forms(world: dict[str, Any]) -> None:
    walk = walk_as(Role.VIEWER, world)
    before = fingerprint.of_everything()
    sent = 0
    for address in addresses():
        if address.name in ("admin:login", "admin:logout", "admin:password_change", "admin:my_notifications"):
            continue  # one's own log-in and mail are everybody's to change
        for url in walk.filled(address, world["own"]):
            data = {"post": "yes", "confirmed": "yes", "action": "set_do_not_contact", "index": "0",
                    "_selected_action": world["own"][Contact].pk, "name": "Changed", "value": "set"}  # fmt: skip
            walk.client.post(url, data)
            sent += 1
    assert sent > 30
    assert fingerprint.of_everything() == before


def test_X5_opening_the_operators_pages_changes_nothing_either(world: dict[str, Any], settings: Any) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root@rivermail.test", "a long enough password"))
    walk = Walk(client, world["own"], {}, world["neighbour"])
    rows = world["own"] | {Tenant: world["tenant"]}
    before = fingerprint.of_everything()
    opened = [walk.get(url).status_code for a in addresses(settings.OPERATORS_PATH) for url in walk.filled(a, rows)]
    assert opened.count(200) > 10
    assert walk.wrong == []
    assert fingerprint.of_everything() == before


# --- the walk can fail: a page without the walls is found out by the same steps ---


class PlainContactAdmin(ModelAdmin):
    """What an admin is without scopes and without TenantAdmin."""

    search_fields = ["last_name"]
    list_filter = ["memberships__contact_list"]

    def get_queryset(self, request: Any) -> Any:
        return Contact.objects.with_scopes_disabled()

    def delete_model(self, request: Any, obj: Any) -> None:
        """Past our own query set, which would refuse."""
        QuerySet.update(Contact.objects.with_scopes_disabled().filter(pk=obj.pk), notes="spoilt")


@pytest.fixture
def plain_site(settings: Any) -> Iterator[None]:
    """A site with that page at the same address."""
    site = AdminSite(name="admin")
    site.has_permission = lambda request: True  # type: ignore[method-assign]
    site.register(Contact, PlainContactAdmin)
    exports = path("contacts/export/new/", lambda request: HttpResponse(), name="contacts_export_new")
    site.get_urls = lambda: [exports, *AdminSite.get_urls(site)]  # type: ignore[method-assign]  # the list leads there
    for name in ("view", "change", "add", "delete"):
        setattr(PlainContactAdmin, f"has_{name}_permission", lambda self, request, obj=None: True)
    module = ModuleType("plain_urls")
    module.urlpatterns = [path("admin/", site.urls)]  # type: ignore[attr-defined]
    sys.modules["plain_urls"] = module
    settings.ROOT_URLCONF = "plain_urls"
    clear_url_caches()
    yield
    clear_url_caches()
    del sys.modules["plain_urls"]


@pytest.mark.usefixtures("plain_site")
def test_control_the_same_walk_finds_the_leaks_of_a_page_without_walls(world: dict[str, Any]) -> None:
    walk = walk_as(Role.OWNER, world)
    walk.get("/admin/contacts/contact/", {"q": PART})
    walk.foreign_pages(allowed={404})
    leaks, wrong = "\n".join(walk.leaks), "\n".join(walk.wrong)
    foreign = world["foreign"][Contact].pk
    assert "GET /admin/contacts/contact/ " in leaks
    assert f"GET /admin/contacts/contact/{foreign}/change/ " in leaks
    assert f"POST /admin/contacts/contact/{foreign}/delete/ changed the neighbour's rows" in leaks
    assert f"GET /admin/contacts/contact/{foreign}/change/  answered 200" in wrong
