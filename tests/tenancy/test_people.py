"""People and roles: who is shown, who may change what, and that an organization is never without an owner."""

import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import HistoryEntry
from contacts.tenancy import people
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Role, StaffMember, Tenant, User
from contacts.tenancy.roles import AREA_WORDS, AREAS, CHANGE, LEVEL_WORDS, ROLE_WORDS, SEE, table
from contacts.tenancy.walls import in_tenant
from tests.factories import ContactListFactory, UserFactory
from tests.tenancy import fingerprint
from tests.tenancy.people import logged_in, place

pytestmark = pytest.mark.django_db
PAGE = "/admin/people/"


def client_of(member: StaffMember) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def owner(tenant: Tenant) -> StaffMember:
    return place(UserFactory(first_name="Ana", last_name="Ruiz", email="ana@rivertrust.test"), tenant)


@pytest.fixture
def colleague(tenant: Tenant) -> StaffMember:
    user = UserFactory(first_name="Stella", last_name="Novak", email="stella@rivertrust.test")
    return place(user, tenant, Role.STAFF)


def role_of(member: StaffMember) -> str:
    """Their role now."""
    return StaffMember.of_user(member.user).get(tenant=member.tenant).role


def history(tenant: Tenant) -> list[tuple[str, str, str, dict[str, Any]]]:
    with in_tenant(tenant):
        return [(e.verb, e.label, e.actor_label, e.changes) for e in HistoryEntry.objects.filter(what=people.PLACE)]


# --- the page ---


def test_everybody_with_a_place_is_named_with_role_and_last_login_in_the_organizations_time(
    tenant: Tenant, neighbour: Tenant, owner: StaffMember, colleague: StaffMember
) -> None:
    from datetime import UTC, datetime

    Tenant.objects.filter(pk=tenant.pk).update(time_zone="Asia/Tokyo")
    stranger = place(UserFactory(email="hana@harborfood.test"), neighbour)
    client = client_of(colleague)
    User.objects.filter(pk=owner.user_id).update(last_login=datetime(2026, 3, 1, 20, 30, tzinfo=UTC))
    User.objects.filter(pk=colleague.user_id).update(last_login=None)
    page = client.get(PAGE).content.decode()
    for words in ("Ana Ruiz", "ana@rivertrust.test", "Mar 2, 2026, 05:30", "Stella Novak", "never yet"):
        assert words in page
    assert stranger.user.email not in page
    assert neighbour.name not in page


@pytest.mark.parametrize("role", [Role.MANAGER, Role.STAFF, Role.VIEWER])
def test_who_is_not_an_owner_reads_and_changes_nothing(role: str, tenant: Tenant, owner: StaffMember) -> None:
    client = logged_in(tenant, role)
    page = client.get(PAGE).content.decode()
    assert "Only an owner invites people" in page
    assert "Invite somebody" not in page and "Withdraw" not in page
    before = fingerprint.of_tenant(tenant)
    for address in ("invite/", f"{owner.pk}/", f"{owner.pk}/remove/"):
        assert client.get(PAGE + address).status_code == 403
        assert client.post(PAGE + address, {"role": Role.VIEWER, "email": "x@rivertrust.test"}).status_code == 403
    assert fingerprint.of_tenant(tenant) == before


def test_the_page_asks_as_many_questions_for_sixty_people_as_for_two(tenant: Tenant, owner: StaffMember) -> None:
    client = client_of(owner)
    client.get(PAGE)

    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(PAGE).status_code == 200
        return len(queries)

    few = count()
    for _ in range(60):
        place(UserFactory(), tenant, Role.STAFF)
    assert count() == few
    assert "1 to 50 of 61" in client.get(PAGE).content.decode()


def test_each_role_is_explained_and_the_readme_has_the_same_table(tenant: Tenant, base_dir: Path) -> None:
    assert AREA_WORDS.keys() == AREAS.keys()
    assert ROLE_WORDS.keys() == set(Role)
    readme = (base_dir / "README.md").read_text()
    assert "| | " + " | ".join(str(role.value) for role in reversed(Role)) + " |" in readme
    page = logged_in(tenant, Role.VIEWER).get(PAGE).content.decode()
    for area, rights in table():
        assert f"| {area} | {' | '.join(words for _, words in rights)} |" in readme
        assert area in page


def test_the_words_of_the_table_say_what_the_code_asks() -> None:
    said = {area: dict(rights) for area, rights in table()}
    assert said[AREA_WORDS["people"]] == {
        Role.OWNER: LEVEL_WORDS[CHANGE], Role.MANAGER: LEVEL_WORDS[SEE], Role.STAFF: LEVEL_WORDS[SEE],
        Role.VIEWER: LEVEL_WORDS[SEE],
    }  # fmt: skip
    assert said[AREA_WORDS["exports"]][Role.VIEWER] == "–"


# --- changing a role ---


def test_an_owner_gives_another_role_which_holds_from_the_next_click_on(
    tenant: Tenant, owner: StaffMember, colleague: StaffMember
) -> None:
    theirs = client_of(colleague)
    assert theirs.get("/admin/contacts/tag/add/").status_code == 200
    answer = client_of(owner).post(f"{PAGE}{colleague.pk}/", {"role": Role.VIEWER}, follow=True)
    assert "Stella Novak is viewer of River Trust." in answer.content.decode()
    assert theirs.get("/admin/contacts/tag/add/").status_code == 403
    changes = {"role": [Role.STAFF, Role.VIEWER]}
    assert history(tenant) == [("changed", "Stella Novak (stella@rivertrust.test)", "Ana Ruiz", changes)]
    told = client_of(owner).get("/admin/contacts/historyentry/").content.decode()
    assert "Place in the organization changed" in told
    assert '<b>Role:</b> <span class="al-was">Staff</span> → Viewer' in told


def test_the_same_role_again_is_no_change(tenant: Tenant, owner: StaffMember, colleague: StaffMember) -> None:
    assert client_of(owner).post(f"{PAGE}{colleague.pk}/", {"role": Role.STAFF}).status_code == 302
    assert history(tenant) == []


def test_a_role_that_does_not_exist_is_refused(tenant: Tenant, owner: StaffMember, colleague: StaffMember) -> None:
    assert client_of(owner).post(f"{PAGE}{colleague.pk}/", {"role": "emperor"}).status_code == 200
    assert role_of(colleague) == Role.STAFF


def test_a_neighbours_people_are_not_there(tenant: Tenant, neighbour: Tenant, owner: StaffMember) -> None:
    stranger = place(UserFactory(), neighbour, Role.STAFF)
    before = fingerprint.of_tenant(neighbour)
    client = client_of(owner)
    for address in (f"{stranger.pk}/", f"{stranger.pk}/remove/"):
        assert client.get(PAGE + address).status_code == 404
        assert client.post(PAGE + address, {"role": Role.VIEWER}).status_code == 404
    assert fingerprint.of_tenant(neighbour) == before


# --- removing ---


def test_X7_who_is_removed_is_out_at_once_and_their_work_keeps_their_name(
    tenant: Tenant, neighbour: Tenant, owner: StaffMember, colleague: StaffMember
) -> None:
    elsewhere = place(colleague.user, neighbour, Role.MANAGER)
    theirs = client_of(colleague)
    theirs.post("/organization/choose/", {"organization": tenant.pk})
    with in_tenant(tenant), acting(By.STAFF, "Almoner", colleague.user):
        ContactListFactory(name="Kayak club")
    client = client_of(owner)
    asked = client.get(f"{PAGE}{colleague.pk}/remove/").content.decode()
    assert "Stella Novak" in asked and "by name" in asked
    assert "no longer has a place" in client.post(f"{PAGE}{colleague.pk}/remove/", follow=True).content.decode()

    page = theirs.get("/admin/contacts/contactlist/").content.decode()
    assert "Kayak club" not in page and neighbour.name in page, "only their other organization is left"
    assert StaffMember.of_user(colleague.user).get() == elsewhere
    with in_tenant(tenant):
        assert HistoryEntry.objects.get(what="list").actor_label == "Stella Novak"
    assert history(tenant)[0][:3] == ("deleted", "Stella Novak (stella@rivertrust.test)", "Ana Ruiz")


def test_looking_at_the_question_removes_nobody(owner: StaffMember, colleague: StaffMember, tenant: Tenant) -> None:
    before = fingerprint.of_tenant(tenant)
    client_of(owner).get(f"{PAGE}{colleague.pk}/remove/")
    assert fingerprint.of_tenant(tenant) == before


def test_what_operators_do_to_an_organizations_people_stands_in_its_history(
    tenant: Tenant, neighbour: Tenant, client: Client
) -> None:
    client.force_login(User.objects.create_superuser("root@rivermail.test", first_name="Olga", last_name="Park"))
    stella = UserFactory(first_name="Stella", last_name="Novak", email="stella@rivertrust.test")
    base = "/operators/contacts/staffmember/"
    given = {"organization": tenant.pk, "user": stella.pk, "role": Role.STAFF}
    assert client.post(f"{base}add/", given).status_code == 302
    member = StaffMember.of_user(stella).get()
    for role in (Role.OWNER, Role.OWNER):  # the second changes nothing
        assert client.post(f"{base}{member.pk}/change/", given | {"role": role}).status_code == 302
    assert client.post(f"{base}{member.pk}/delete/", {"post": "yes"}).status_code == 302
    told = [(verb, who, changes["role"]) for verb, _, who, changes in reversed(history(tenant))]
    assert told == [
        ("added", "Olga Park", [None, "staff"]),
        ("changed", "Olga Park", ["staff", "owner"]),
        ("deleted", "Olga Park", ["owner", None]),
    ]
    assert history(neighbour) == []


# --- never without an owner ---


def test_the_last_owner_can_neither_be_demoted_nor_removed(
    tenant: Tenant, owner: StaffMember, colleague: StaffMember
) -> None:
    client = client_of(owner)
    answer = client.post(f"{PAGE}{owner.pk}/", {"role": Role.STAFF})
    assert "is the only owner" in answer.content.decode()
    assert "is the only owner" in client.post(f"{PAGE}{owner.pk}/remove/", follow=True).content.decode()
    assert role_of(owner) == Role.OWNER
    # Control: with a second owner, both can be done.
    with in_tenant(tenant):
        StaffMember.objects.filter(pk=colleague.pk).update(role=Role.OWNER)
    assert client.post(f"{PAGE}{owner.pk}/", {"role": Role.STAFF}).status_code == 302
    assert role_of(owner) == Role.STAFF


def test_an_owner_who_is_switched_off_does_not_count(
    tenant: Tenant, owner: StaffMember, colleague: StaffMember
) -> None:
    with in_tenant(tenant):
        StaffMember.objects.filter(pk=colleague.pk).update(role=Role.OWNER)
        User.objects.filter(pk=colleague.user_id).update(is_active=False)
        with pytest.raises(ValidationError, match="is the only owner"):
            people.change_role(owner, owner.pk, Role.STAFF)


def test_owners_of_another_organization_do_not_count(tenant: Tenant, neighbour: Tenant, owner: StaffMember) -> None:
    place(UserFactory(), neighbour, Role.OWNER)
    with in_tenant(tenant), pytest.raises(ValidationError, match="is the only owner"):
        people.remove(owner, owner.pk)


def test_who_was_demoted_meanwhile_decides_nothing_more(
    tenant: Tenant, owner: StaffMember, colleague: StaffMember
) -> None:
    with in_tenant(tenant):
        StaffMember.objects.filter(pk=colleague.pk).update(role=Role.OWNER)
        StaffMember.objects.filter(pk=owner.pk).update(role=Role.STAFF)
        with pytest.raises(PermissionDenied, match="Your own role has just been changed"):
            people.change_role(owner, colleague.pk, Role.VIEWER)  # `owner` was read before that


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_in_the_same_moment_leave_one(
    tenant: Tenant, owner: StaffMember, colleague: StaffMember
) -> None:
    with in_tenant(tenant):
        StaffMember.objects.filter(pk=colleague.pk).update(role=Role.OWNER)
        colleague.refresh_from_db()
    barrier, said = threading.Barrier(2), []

    def demote(by: StaffMember, whom: StaffMember) -> None:
        try:
            barrier.wait(10)
            with in_tenant(tenant):
                people.change_role(by, whom.pk, Role.VIEWER)
            said.append("done")
        except (PermissionDenied, ValidationError) as refusal:
            said.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=pair) for pair in ((owner, colleague), (colleague, owner))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said, key=len)[0] == "done" and len(said) == 2
    assert said.count("done") == 1
    with in_tenant(tenant):
        assert StaffMember.objects.filter(role=Role.OWNER).count() == 1


# --- the settings in plain words ---


def test_the_settings_say_with_examples_what_they_mean(tenant: Tenant, owner: StaffMember) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(
        currency="GBP", country="GB", phone_region="GB", fiscal_year_start=4, street="1 Mill Lane", city="Leeds",
        from_email="news@rivertrust.test",
    )  # fmt: skip
    page = client_of(owner).get("/admin/organization/").content.decode()
    year = timezone.now().year - (timezone.now().month < 4)
    for words in (
        "£1,250.00",
        "3 April",
        f"April {year} to March {year + 1}",
        "+44 121 234 5678",
        "1 Mill Lane, Leeds",
    ):
        assert words in page
    assert "River Trust &lt;news@rivertrust.test&gt;" in page


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("country", "XX", "“XX” stands for no country"),
        ("phone_region", "USA", "Use the two letters of a country"),
        ("currency", "dollars", "Use the three letters of a currency"),
        ("name", "Harbor Food Bank", "Another organization of this installation has that name"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(
    field: str, value: str, sentence: str, tenant: Tenant, neighbour: Tenant, owner: StaffMember
) -> None:
    from tests.tenancy.test_organizations import SETTINGS

    page = client_of(owner).post("/admin/organization/", SETTINGS | {field: value}).content.decode()
    assert sentence in page
    tenant.refresh_from_db()
    assert (tenant.name, tenant.street) == ("River Trust", "")


def test_letters_of_a_country_may_be_typed_small(tenant: Tenant, owner: StaffMember) -> None:
    from tests.tenancy.test_organizations import SETTINGS

    client_of(owner).post("/admin/organization/", SETTINGS | {"country": "gb", "phone_region": "gb"})
    tenant.refresh_from_db()
    assert (tenant.country, tenant.phone_region) == ("GB", "GB")
