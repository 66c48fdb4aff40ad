"""The two sites: what stands on which, who is let in, and how people log in (X7)."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core import mail
from django.db import models
from django.test import Client
from django.utils import timezone

from config import operator_admin  # noqa: F401  (registers)
from config.operator_site import operators
from contacts.models import Contact, HistoryEntry, ListMembership
from contacts.tenancy.admin import TenantAdmin, TenantTabularInline
from contacts.tenancy.models import Role, Tenant, TenantOwned, User
from contacts.tenancy.walls import in_tenant
from tests.factories import PASSWORD, ContactFactory, UserFactory
from tests.tenancy.people import logged_in, place
from tests.tenancy.walk import Fields

pytestmark = [pytest.mark.django_db, pytest.mark.once]


# --- what stands where ---


def test_T2_every_class_on_the_staffs_site_is_a_tenant_admin_of_owned_rows() -> None:
    assert len(admin.site._registry) >= 5
    for model, model_admin in admin.site._registry.items():
        assert isinstance(model_admin, TenantAdmin), f"{model} must derive from TenantAdmin"
        assert issubclass(model, TenantOwned)
        assert model_admin.check() == []


def test_T2_the_staffs_site_does_not_let_in_a_plain_admin_class() -> None:
    class Plain(admin.ModelAdmin):
        pass

    with pytest.raises(Exception, match="must derive from TenantAdmin"):
        admin.site.register(ListMembership, Plain)


@pytest.mark.parametrize("app", ["auth", "axes", "django_q", "admin", "sessions", "contenttypes"])
def test_T2_nothing_of_a_third_party_stands_on_the_staffs_site(app: str) -> None:
    assert not [m for m in admin.site._registry if m._meta.app_label == app]
    assert not [m for m in admin.site._registry if m in (User, Tenant)]


def test_T2_operators_see_nothing_of_an_organizations_own_rows() -> None:
    owned = {m.__name__ for m in operators._registry if issubclass(m, TenantOwned)}
    assert owned == {"StaffMember"}


HOLES: dict[str, dict[str, Any]] = {
    "E001": {"area": "nowhere"},
    "E003": {"raw_id_fields": ["contact"]},
    "E004": {"fields": ["tenant"]},
    "E006": {"list_filter": ["contact_list"]},
    "E007": {"search_fields": ["tenant__name"]},
    "E008": {"actions": ["shout"]},
    "E009": {"actions_row": ["shout"]},
}


@pytest.mark.parametrize("code", HOLES)
def test_T2_a_check_refuses_each_hole_in_an_admin_class(code: str) -> None:
    def shout(self: Any, request: Any, *args: Any) -> None: ...

    shout.attrs = {}  # type: ignore[attr-defined]
    holey = type("Holey", (TenantAdmin,), {"area": "lists", "shout": shout, **HOLES[code]})
    assert f"tenancy.{code}" in {error.id for error in holey(ListMembership, admin.site).check()}


def test_T2_a_check_refuses_a_plain_inline() -> None:
    plain = type("Plain", (admin.TabularInline,), {"model": ListMembership})
    holey = type("Holey", (TenantAdmin,), {"area": "contacts", "inlines": [plain]})
    assert "tenancy.E005" in {error.id for error in holey(Contact, admin.site).check()}
    walled = type("Walled", (TenantTabularInline,), {"area": "lists", "model": ListMembership})
    assert type("Fine", (TenantAdmin,), {"area": "contacts", "inlines": [walled]})(Contact, admin.site).check() == []


# --- who is let in ---


def test_a_stranger_is_sent_to_the_log_in_page_of_each_site(client: Client) -> None:
    assert client.get("/admin/contacts/contact/")["Location"] == "/admin/login/?next=/admin/contacts/contact/"
    assert client.get("/operators/contacts/user/")["Location"] == "/operators/login/?next=/operators/contacts/user/"


def test_T2_a_superuser_without_a_place_is_told_so_and_sees_no_contacts(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root@rivermail.test", PASSWORD))
    answer = client.get("/admin/contacts/contact/", follow=True)
    assert answer.status_code == 403
    assert "has no place in any organization" in answer.content.decode()


def test_T2_a_superuser_with_a_place_has_no_more_rights_there_than_the_role(tenant: Tenant, client: Client) -> None:
    root = User.objects.create_superuser("root@rivermail.test", PASSWORD)
    place(root, tenant, Role.VIEWER)
    client.force_login(root)
    assert client.get("/admin/contacts/contact/").status_code == 200
    assert client.get("/admin/contacts/contact/add/").status_code == 403


@pytest.mark.parametrize(
    "path", ["", "contacts/user/", "contacts/staffmember/", "django_q/failure/", "axes/accessattempt/"]
)
def test_T2_staff_never_come_to_the_operators_pages(path: str, tenant: Tenant) -> None:
    assert logged_in(tenant).get(f"/operators/{path}").status_code == 302
    assert logged_in(tenant).get(f"/admin/{path or 'contacts/user/'}").status_code == 404


@pytest.mark.parametrize("path", ["r/1/1/", "contacts/", "search/?s=a&extended=1", "auth/group/"])
def test_T2_djangos_side_doors_are_closed(path: str, tenant: Tenant) -> None:
    assert logged_in(tenant).get(f"/admin/{path}").status_code == 404


def test_T2_operators_see_jobs_without_arguments_results_or_buttons(client: Client) -> None:
    secret = "Ourword secret of a job"  # noqa: S105
    task = apps.get_model("django_q", "Task").objects.create(
        id="a" * 32, name="crimson-fox", func="integrations.jobs.push", args=(secret,), kwargs={"k": secret},
        result=secret, started=timezone.now(), stopped=timezone.now(), success=False,
    )  # fmt: skip
    apps.get_model("django_q", "OrmQ").objects.create(key="almoner", payload=secret)
    client.force_login(User.objects.create_superuser("root@rivermail.test", PASSWORD))
    for path in ("failure/", f"failure/{task.pk}/change/", "ormq/", "schedule/", "success/"):
        page = client.get(f"/operators/django_q/{path}")
        assert page.status_code == 200
        assert secret not in page.content.decode()
        assert "resubmit" not in page.content.decode().lower()
    assert "crimson-fox" in client.get("/operators/django_q/failure/").content.decode()
    assert client.get("/operators/django_q/schedule/add/").status_code == 403
    answer = client.post(f"/operators/django_q/failure/{task.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 403


def test_an_operator_gives_somebody_a_place_whatever_place_the_operator_has(
    tenant: Tenant, neighbour: Tenant, client: Client
) -> None:
    root, newcomer = User.objects.create_superuser("root@rivermail.test", PASSWORD), UserFactory()
    place(root, tenant)
    client.force_login(root)
    data = {"organization": neighbour.pk, "user": newcomer.pk, "role": Role.STAFF}
    assert client.post("/operators/contacts/staffmember/add/", data).status_code == 302
    twice = client.post("/operators/contacts/staffmember/add/", data)
    assert twice.status_code == 200, "a second place in the same organization is refused on the page"
    client.force_login(newcomer)
    assert neighbour.name in client.get("/admin/").content.decode()


# --- logging in (X7) ---


def log_in(client: Client, email: str, password: str = PASSWORD, site: str = "admin") -> Any:
    return client.post(f"/{site}/login/", {"username": email, "password": password})


def test_people_log_in_by_e_mail_address_in_any_case_and_out_again(tenant: Tenant, client: Client) -> None:
    place(UserFactory(email="ana@rivermail.test"), tenant)
    assert "E-mail address" in client.get("/admin/login/").content.decode()
    assert log_in(client, " Ana@RiverMail.test ").status_code == 302
    assert client.get("/admin/").status_code == 200
    client.post("/admin/logout/")
    assert client.get("/admin/").status_code == 302


def test_somebody_without_a_place_is_told_whom_to_ask(client: Client) -> None:
    UserFactory(email="ana@rivermail.test")
    answer = log_in(client, "ana@rivermail.test")
    assert "no place in any organization" in answer.content.decode()


def test_each_log_in_leads_to_its_own_site(tenant: Tenant, client: Client) -> None:
    root = User.objects.create_superuser("root@rivermail.test", PASSWORD)
    place(root, tenant)
    for site in ("admin", "operators"):
        form = Fields(client.get(f"/{site}/login/").content.decode()).values
        answer = client.post(f"/{site}/login/", form | {"username": root.email, "password": PASSWORD})
        assert answer["Location"] == f"/{site}/"
        client.logout()


def test_staff_are_told_nothing_at_the_operators_door(tenant: Tenant, client: Client) -> None:
    place(UserFactory(email="ana@rivermail.test"), tenant)
    right = log_in(client, "ana@rivermail.test", site="operators").content.decode()
    wrong = log_in(client, "ana@rivermail.test", "wrong", site="operators").content.decode()
    sentence = "do not match"
    assert sentence in right and sentence in wrong


def test_X7_after_too_many_wrong_passwords_the_right_one_does_not_help(
    tenant: Tenant, client: Client, settings: Any
) -> None:
    settings.AXES_ENABLED = True
    place(UserFactory(email="ana@rivermail.test"), tenant)
    spellings = ["ana@rivermail.test", "ANA@rivermail.test"]
    answers = [log_in(client, spellings[n % 2], "wrong").status_code for n in range(20)]
    assert answers.count(429) >= 10
    locked = log_in(client, "ana@rivermail.test")
    assert locked.status_code == 429
    assert "Too many attempts" in locked.content.decode()
    # Somebody else is not kept out by it.
    place(UserFactory(email="ben@rivermail.test"), tenant)
    assert log_in(client, "ben@rivermail.test").status_code == 302


def test_X7_somebody_who_is_switched_off_is_out_at_once(tenant: Tenant, client: Client) -> None:
    user = UserFactory()
    place(user, tenant)
    client.force_login(user)
    assert client.get("/admin/").status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302


def test_X7_whoever_loses_the_place_loses_the_pages_at_once(tenant: Tenant, client: Client) -> None:
    user = UserFactory()
    member = place(user, tenant)
    client.force_login(user)
    from contacts.tenancy.walls import in_tenant

    with in_tenant(tenant):
        member.delete()
    assert client.get("/admin/contacts/contact/", follow=True).status_code == 403


def test_X7_a_new_password_ends_the_other_sessions(tenant: Tenant) -> None:
    user = UserFactory()
    place(user, tenant)
    here, elsewhere = Client(), Client()
    here.force_login(user)
    elsewhere.force_login(user)
    new = "quite another password"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", data).status_code == 302
    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(tenant: Tenant, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    user = UserFactory(email="ana@rivermail.test")
    place(user, tenant)
    client = Client(headers={"host": "evil.test"})
    client.post("/admin/forgotten/", {"email": "Ana@rivermail.test"})
    letter = str(mail.outbox[0].body)
    assert "evil.test" not in letter, "the link leads to the public address, not to the host that was named"
    link = re.search(r"http\S+(/admin/forgotten/\S+)", letter)
    assert link is not None and link.group(0).startswith(settings.PUBLIC_URL)
    client = Client()
    form = client.get(link.group(1), follow=True)
    new = "quite another password"
    done = client.post(form.request["PATH_INFO"], {"new_password1": new, "new_password2": new}, follow=True)
    assert "Your password is changed" in done.content.decode()
    assert log_in(Client(), "ana@rivermail.test", new).status_code == 302
    assert "used already" in Client().get(link.group(1), follow=True).content.decode()


def test_asking_for_a_link_tells_nobody_who_has_an_account(tenant: Tenant, client: Client) -> None:
    UserFactory(email="ana@rivermail.test")
    known = client.post("/admin/forgotten/", {"email": "ana@rivermail.test"}, follow=True)
    unknown = client.post("/admin/forgotten/", {"email": "nobody@rivermail.test"}, follow=True)
    tokens = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
    assert tokens.sub("", known.content.decode()) == tokens.sub("", unknown.content.decode())
    assert len(mail.outbox) == 1


def test_short_passwords_are_refused(tenant: Tenant) -> None:
    client = logged_in(tenant)
    data = {"old_password": PASSWORD, "new_password1": "short pw", "new_password2": "short pw"}
    assert "at least 12 characters" in client.post("/admin/password_change/", data).content.decode()


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/admin/contacts/contact/", "Contacts | Almoner"), ("/admin/contacts/import/", "Import | Almoner"),
        ("/admin/contacts/consentevent/", "Consent ledger | Almoner"),
        ("/admin/contacts/historyentry/", "History | Almoner"),
        ("/admin/contacts/contact/add/", "Add contact | Almoner"),
        ("/admin/contacts/contact/{}/change/", "Ana Ruiz | Contacts | Almoner"),
    ],
)  # fmt: skip
def test_the_browsers_tab_says_what_the_menu_says(path: str, title: str, tenant: Tenant) -> None:
    with in_tenant(tenant):
        ana = ContactFactory(first_name="Ana", last_name="Ruiz")
    html = logged_in(tenant).get(path.format(ana.pk)).content.decode()
    assert " ".join(re.findall(r"<title>(.*?)</title>", html, re.DOTALL)[0].split()) == title


def test_after_a_wrong_password_one_may_type_the_next_at_once(client: Client) -> None:
    waiting = re.compile(r"<input[^>]*name=\"(\w+)\"[^>]*\bautofocus\b")
    assert waiting.findall(client.get("/admin/login/").content.decode()) == ["username"]
    answer = client.post("/admin/login/", {"username": "ana@river.test", "password": "wrong"})
    assert waiting.findall(answer.content.decode()) == ["password"]


# --- headers ---


@pytest.mark.parametrize("path", ["/admin/", "/admin/contacts/contact/", "/admin/login/"])
def test_pages_ask_nothing_of_other_servers_and_stay_out_of_caches(path: str, tenant: Tenant) -> None:
    page = logged_in(tenant).get(path, follow=True)
    html = page.content.decode()
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//(?!testserver)[^"']+""", html)
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe-inline" not in page["Content-Security-Policy"].split("script-src")[1].split(";")[0]
    assert "no-store" in page["Cache-Control"]
    assert page["X-Frame-Options"] == "DENY"
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*type=.application/json)[^>]*>", html), "no inline scripts"


def test_djangos_own_log_is_never_written(tenant: Tenant) -> None:
    client = logged_in(tenant)
    assert client.post("/admin/contacts/tag/add/", {"name": "volunteer"}).status_code == 302
    assert apps.get_model("admin", "LogEntry").objects.count() == 0
    assert isinstance(HistoryEntry._meta.get_field("tenant"), models.ForeignKey)
