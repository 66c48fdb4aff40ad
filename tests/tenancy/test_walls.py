"""The walls between tenants below the pages: in queries, in saving, and in the database itself (T3, T4, T6)."""

import time
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django_scopes import scopes_disabled
from django_scopes.exceptions import ScopeError

from contacts.models import Contact, ContactList, EmailAddress, ListMembership, OutsideIdentifier, Tag
from contacts.tenancy import triggers
from contacts.tenancy.models import Tenant, TenantOwned, User
from contacts.tenancy.walls import WrongTenant, in_tenant
from tests.factories import ContactFactory, ContactListFactory, UserFactory
from tests.tenancy import fingerprint
from tests.tenancy.rows import fill, owned_models

pytestmark = pytest.mark.django_db

# Shared by all tenants: whoever adds a model decides, here, that it belongs to no tenant.
SHARED = {
    "Tenant", "User", "Group", "Permission", "ContentType", "Session", "LogEntry", "AccessAttempt", "AccessLog",
    "AccessFailureLog", "AccessAttemptExpiration", "Schedule", "Task", "Success", "Failure", "OrmQ", "Heartbeat",
    "Tally", "Quota", "QuotaShare",
}  # fmt: skip


def test_T4_every_model_is_either_owned_by_a_tenant_or_known_to_be_shared() -> None:
    from django.apps import apps

    unlisted = {m.__name__ for m in apps.get_models() if not issubclass(m, TenantOwned)} - SHARED
    assert unlisted == set(), "does it belong to a tenant? If really not, list it above"


@pytest.mark.parametrize("model", list(owned_models()), ids=lambda model: model.__name__)
def test_T4_without_a_tenant_every_question_raises(model: Any) -> None:
    for ask in (model.objects.count, model.objects.all, model._base_manager.count, model._default_manager.first):
        with pytest.raises(ScopeError):
            ask()


@pytest.mark.parametrize("model", list(owned_models()), ids=lambda model: model.__name__)
def test_T4_no_manager_of_a_row_finds_a_neighbours(model: Any, tenant: Tenant, neighbour: Tenant) -> None:
    theirs = fill(neighbour, "Theirs")[model]
    with in_tenant(tenant):
        for manager in (model.objects, model._base_manager, model._default_manager):
            assert not manager.filter(pk=theirs.pk).exists()


def test_T4_a_link_to_a_neighbours_row_finds_nothing_by_way_of_the_base_manager(
    tenant: Tenant, neighbour: Tenant
) -> None:
    theirs = ContactFactory(tenant=neighbour)
    with in_tenant(tenant), pytest.raises(ObjectDoesNotExist):
        _ = ListMembership(contact_id=theirs.pk, contact_list=ContactListFactory()).contact


@pytest.mark.parametrize("way", ["create", "save", "bulk_create", "get_or_create", "update_or_create"])
def test_T3_a_row_cannot_be_created_for_a_neighbour(way: str, tenant: Tenant, neighbour: Tenant) -> None:
    ways: dict[str, Any] = {
        "create": lambda: Contact.objects.create(tenant=neighbour, last_name="X"),
        "save": lambda: Contact(tenant=neighbour, last_name="X").save(),
        "bulk_create": lambda: Contact.objects.bulk_create([Contact(tenant=neighbour, last_name="X")]),
        "get_or_create": lambda: Contact.objects.get_or_create(tenant=neighbour, last_name="X"),
        "update_or_create": lambda: Contact.objects.update_or_create(tenant=neighbour, last_name="X"),
    }
    with in_tenant(tenant), pytest.raises(WrongTenant):
        ways[way]()
    with in_tenant(neighbour):
        assert not Contact.objects.exists()


def test_T3_a_row_cannot_be_moved_to_a_neighbour(tenant: Tenant, neighbour: Tenant) -> None:
    contact = ContactFactory(tenant=tenant)
    with in_tenant(tenant):
        with pytest.raises(WrongTenant):
            Contact.objects.update(tenant=neighbour)
        contact.tenant = neighbour
        with pytest.raises(WrongTenant):
            contact.save()
        with pytest.raises(WrongTenant):
            Contact.objects.bulk_update([contact], ["tenant"])


# --- the wall inside the database ---


def test_T4_the_wall_stands_for_every_link_and_is_built_once(db: None) -> None:
    assert triggers.missing() == set()
    pairs = {(table, column) for table, column, _ in triggers.links()}
    assert {("contacts_listmembership", "contact_id"), ("contacts_listmembership", "contact_list_id")} <= pairs
    assert len(pairs) >= 15
    before = triggers.present(connection)
    triggers.build()
    assert triggers.present(connection) == before


def test_T4_the_wall_comes_back_where_it_is_missing(db: None) -> None:
    triggers.take_down(connection, triggers.present(connection))
    assert "keep organizations apart are missing" in triggers.check_wall(None, ["default"])[0].msg
    triggers.build()
    assert triggers.check_wall(None, ["default"]) == []
    assert triggers.missing() == set()


def raw(sql: str, values: list[Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_T4_the_database_refuses_each_link_to_a_neighbours_row(tenant: Tenant, neighbour: Tenant) -> None:
    ours, theirs = fill(tenant, "Ours"), fill(neighbour, "Theirs")
    by_table = {model._meta.db_table: model for model in owned_models()}
    tried = 0
    for table, column, target in triggers.links():
        own, foreign = ours[by_table[table]], theirs[by_table[target]]
        key = own._meta.pk.column
        with pytest.raises(IntegrityError, match="another tenant"):
            raw(f'UPDATE "{table}" SET "{column}" = %s WHERE "{key}" = %s', [foreign.pk, own.pk])  # noqa: S608
        tried += 1
    assert tried >= 15
    assert fingerprint.crossed_links() == []


def test_T4_the_database_refuses_a_new_row_that_links_to_a_neighbours(tenant: Tenant, neighbour: Tenant) -> None:
    contact, contact_list = ContactFactory(tenant=neighbour), ContactListFactory(tenant=tenant)
    with in_tenant(tenant), pytest.raises(IntegrityError, match="another tenant"), transaction.atomic():
        row = ListMembership(contact_id=contact.pk, contact_list=contact_list, tenant=tenant)
        super(TenantOwned, row).save()  # past our own guards


@pytest.mark.parametrize("model", list(owned_models()), ids=lambda model: model.__name__)
def test_T4_the_database_refuses_to_move_a_row(model: Any, tenant: Tenant, neighbour: Tenant) -> None:
    row = fill(tenant, "Ours")[model]
    table, key = model._meta.db_table, model._meta.pk.column
    with pytest.raises(IntegrityError, match="another tenant"):
        raw(f'UPDATE "{table}" SET tenant_id = %s WHERE "{key}" = %s', [neighbour.pk, row.pk])  # noqa: S608


def test_control_without_the_wall_the_database_takes_such_a_link(tenant: Tenant, neighbour: Tenant) -> None:
    email, theirs = ContactFactory(tenant=tenant).email_addresses, ContactFactory(tenant=neighbour)
    with in_tenant(tenant):
        pk = email.get().pk
    triggers.take_down(connection, triggers.present(connection))
    raw("UPDATE contacts_emailaddress SET contact_id = %s, is_primary = %s WHERE id = %s", [theirs.pk, False, pk])
    assert fingerprint.crossed_links() == ["contacts_emailaddress.contact_id"]


def test_the_wall_costs_little_when_3_000_rows_are_written_at_once(tenant: Tenant) -> None:
    with in_tenant(tenant):
        contact_list = ContactListFactory()
        people = [Contact(last_name=f"Person {n}", tenant=tenant) for n in range(3_000)]
        QuerySet.bulk_create(Contact.objects.all(), people)  # without history: only the database is measured here

        def write() -> float:
            rows = [ListMembership(contact=person, contact_list=contact_list, tenant=tenant) for person in people]
            started = time.perf_counter()
            with transaction.atomic():
                QuerySet.bulk_create(ListMembership.objects.all(), rows)
                taken = time.perf_counter() - started
                transaction.set_rollback(True)
            return taken

        walled = min(write() for _ in range(2))
        triggers.take_down(connection, triggers.present(connection))
        bare = min(write() for _ in range(2))
    assert walled < bare * 4 + 1, f"{walled:.2f} s with the wall, {bare:.2f} s without"


# --- T6: what a neighbour has is no obstacle and no clue ---


def test_T6_what_exists_next_door_can_be_created_here(tenant: Tenant, neighbour: Tenant) -> None:
    def create_all() -> None:
        contact = Contact.objects.create(last_name="Adeyemi", custom_user_id="7")
        rows = [
            EmailAddress(contact=contact, address="shared@rivermail.test", is_primary=True),
            OutsideIdentifier(contact=contact, system="Old database", value="4711"),
            ContactList(name="Newsletter"),
            Tag(name="volunteer"),
        ]
        for row in rows:
            row.full_clean(exclude=["address_key"])
            row.save()

    for one in (neighbour, tenant):
        with in_tenant(one):
            create_all()
    with scopes_disabled():
        assert ContactList.objects.count() == Tag.objects.count() == 2


def test_T6_a_users_place_elsewhere_is_no_obstacle(tenant: Tenant, neighbour: Tenant) -> None:
    from contacts.tenancy.models import StaffMember

    user: User = UserFactory()
    for one in (tenant, neighbour):
        with in_tenant(one):
            StaffMember(user=user).full_clean()
            StaffMember.objects.create(user=user)
