"""Invitations: the link works once, for one address, for some days, and tells nobody who has a log-in."""

import re
import threading
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from contacts.models import HistoryEntry
from contacts.tenancy import invitations, throttle
from contacts.tenancy.models import Invitation, Role, StaffMember, Tally, Tenant, User
from contacts.tenancy.walls import in_tenant
from tests.factories import PASSWORD, UserFactory
from tests.tenancy import fingerprint
from tests.tenancy.people import logged_in, place

pytestmark = pytest.mark.django_db
BEN = "ben@rivertrust.test"
NEW = {"first_name": "Ben", "last_name": "Okoro", "password": "kayak at dawn, twice", "again": "kayak at dawn, twice"}


class Refusing(EmailBackend):
    """A mail server that takes nobody."""

    def send_messages(self, messages: Any) -> int:
        raise SMTPRecipientsRefused({})


@pytest.fixture
def owner(tenant: Tenant) -> StaffMember:
    return place(UserFactory(first_name="Ana", last_name="Ruiz", email="ana@rivertrust.test"), tenant)


@pytest.fixture
def at_desk(owner: StaffMember) -> Client:
    """The owner's browser."""
    client = Client()
    client.force_login(owner.user)
    return client


def invite(client: Client, email: str = BEN, role: str = Role.STAFF) -> Any:
    return client.post("/admin/people/invite/", {"email": email, "role": role}, follow=True)


def link() -> str:
    """The path of the link in the newest mail."""
    found = re.search(r"https?://[^/\s]+(/join/\S+/)", str(mail.outbox[-1].body))
    assert found is not None
    return found.group(1)


def the_invitation(tenant: Tenant) -> Invitation:
    with in_tenant(tenant):
        return Invitation.objects.get()


def change(tenant: Tenant, **values: Any) -> None:
    with in_tenant(tenant):
        Invitation.objects.update(**values)


def roles_of(email: str) -> list[tuple[str, str]]:
    return [(m.tenant.name, m.role) for m in StaffMember.of_user(User.objects.get(email=email))]


# --- the mail ---


def test_the_mail_comes_from_the_organization_and_leads_to_the_public_address(
    tenant: Tenant, at_desk: Client, settings: Any
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(time_zone="Asia/Tokyo")
    page = invite(at_desk, " Ben@RiverTrust.test ").content.decode()
    assert f"An invitation is on its way to {BEN}." in page
    (letter,) = mail.outbox
    assert (letter.to, letter.reply_to) == ([BEN], ["ana@rivertrust.test"])
    assert letter.from_email == "River Trust <almoner@localhost>"
    assert settings.PUBLIC_URL + link() in letter.body
    until = timezone.localtime(the_invitation(tenant).expires_at, tenant.__class__(time_zone="Asia/Tokyo").tz)
    for words in ("Ana Ruiz invites you", "“staff”", f"{until:%H:%M} (Asia/Tokyo)", "works once"):
        assert words in letter.body
    assert "<" not in letter.body.replace("<almoner", "")


def test_only_a_hash_of_the_secret_is_in_the_database(tenant: Tenant, at_desk: Client) -> None:
    invite(at_desk)
    secret = link().split("/")[2]
    assert len(secret) >= 40
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            assert secret not in repr(cursor.fetchall()), table
    assert the_invitation(tenant).secret_hash == invitations.hashed(secret)


def test_an_organizations_name_cannot_break_out_of_the_head_of_the_mail(tenant: Tenant, at_desk: Client) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(name="River\r\nBcc: all@rivertrust.test")
    invite(at_desk)
    assert mail.outbox[0].recipients() == [BEN]
    assert "\nBcc" not in mail.outbox[0].message().as_string().partition("\n\n")[0]


# --- somebody new ---


def test_somebody_new_sets_a_name_and_a_password_and_is_inside(
    tenant: Tenant, neighbour: Tenant, at_desk: Client
) -> None:
    invite(at_desk, role=Role.MANAGER)
    before = fingerprint.of_tenant(neighbour)
    theirs = Client()
    assert "River Trust" in theirs.get(link()).content.decode()
    answer = theirs.post(link(), NEW, follow=True)
    page = answer.content.decode()
    assert answer.request["PATH_INFO"] == "/admin/"
    assert "Welcome to River Trust." in page and "Ben Okoro" in page
    assert roles_of(BEN) == [("River Trust", Role.MANAGER)]
    assert Client().login(username=BEN, password=NEW["password"])
    with in_tenant(tenant):
        told = [(e.verb, e.what, e.label, e.actor_label) for e in HistoryEntry.objects.order_by("pk")]
    assert told == [
        ("added", "invitation", BEN, "Ana Ruiz"),
        ("added", "place in the organization", f"Ben Okoro ({BEN})", "Ben Okoro"),
    ]
    assert fingerprint.of_tenant(neighbour) == before
    listed = at_desk.get("/admin/people/").content.decode()
    assert "Ben Okoro" in listed and "Nobody is waiting" in listed and "never yet" not in listed


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"password": "passwordpassword", "again": "passwordpasswor"}, "The two passwords differ"),
        ({"password": "Okoro.Okoro.", "again": "Okoro.Okoro.", "last_name": "Okoro.Okoro."}, "too similar"),
        ({"first_name": ""}, "required"),
    ],
)
def test_a_poor_password_is_refused_and_the_link_still_works(
    wrong: dict[str, str], sentence: str, at_desk: Client
) -> None:
    invite(at_desk)
    page = Client().post(link(), NEW | wrong).content.decode()
    assert sentence in page
    assert not User.objects.filter(email=BEN).exists()
    assert Client().post(link(), NEW).status_code == 302


def test_X7_the_link_works_once(tenant: Tenant, at_desk: Client) -> None:
    invite(at_desk)
    Client().post(link(), NEW)
    answer = Client().post(link(), NEW | {"password": "somebody else entirely", "again": "somebody else entirely"})
    assert answer.status_code == 404
    assert "no longer works" in answer.content.decode()
    assert not Client().login(username=BEN, password="somebody else entirely")


@pytest.mark.django_db(transaction=True)
def test_X7_of_two_clicks_in_the_same_moment_one_takes_the_place(tenant: Tenant, at_desk: Client) -> None:
    invite(at_desk)
    address, barrier, answers = link(), threading.Barrier(2), []

    def click() -> None:
        barrier.wait(10)
        answers.append(Client().post(address, NEW).status_code)
        connection.close()

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers.count(302) == 1, answers
    assert roles_of(BEN) == [("River Trust", Role.STAFF)]


# --- somebody who has a log-in ---


def test_who_has_a_log_in_elsewhere_uses_it_and_keeps_the_password(
    tenant: Tenant, neighbour: Tenant, at_desk: Client
) -> None:
    ben = UserFactory(email=BEN)
    place(ben, neighbour, Role.OWNER)
    kept = ben.password
    invite(at_desk)
    theirs = Client()
    wrong = theirs.post(link() + "?known", {"password": "not this one"})
    assert "not the password of this log-in" in wrong.content.decode()
    assert roles_of(BEN) == [("Harbor Food Bank", Role.OWNER)]
    page = theirs.post(link() + "?known", {"password": PASSWORD}, follow=True).content.decode()
    assert "Welcome to River Trust." in page
    assert sorted(roles_of(BEN)) == [("Harbor Food Bank", Role.OWNER), ("River Trust", Role.STAFF)]
    assert User.objects.get(email=BEN).password == kept


def test_who_has_a_log_in_and_no_place_anywhere_comes_back_by_an_invitation(at_desk: Client) -> None:
    UserFactory(email=BEN)
    invite(at_desk)
    assert Client().post(link() + "?known", {"password": PASSWORD})["Location"] == "/admin/"
    assert roles_of(BEN) == [("River Trust", Role.STAFF)]


def test_nobody_sets_a_new_password_for_a_log_in_that_exists(at_desk: Client) -> None:
    ben = UserFactory(email=BEN, first_name="Benedict")
    invite(at_desk)
    answer = Client().post(link(), NEW)
    assert "There is a log-in for this address already" in answer.content.decode()
    ben.refresh_from_db()
    assert (ben.first_name, ben.check_password(PASSWORD)) == ("Benedict", True)
    assert roles_of(BEN) == []
    assert Client().post(link() + "?known", {"password": PASSWORD}).status_code == 302, "the link is still good"


def test_who_is_logged_in_already_joins_with_one_click(tenant: Tenant, neighbour: Tenant, at_desk: Client) -> None:
    ben = UserFactory(email=BEN)
    place(ben, neighbour, Role.STAFF)
    invite(at_desk)
    theirs = Client()
    theirs.force_login(ben)
    page = theirs.get(link()).content.decode()
    assert "Join River Trust" in page and 'type="password"' not in page
    assert roles_of(BEN) == [("Harbor Food Bank", Role.STAFF)], "looking takes nothing"
    assert "Welcome to River Trust." in theirs.post(link(), follow=True).content.decode()


def test_a_logged_in_other_person_cannot_take_the_invitation(
    tenant: Tenant, neighbour: Tenant, at_desk: Client
) -> None:
    invite(at_desk)
    thief = logged_in(neighbour)
    page = thief.get(link()).content.decode()
    assert f"This invitation is for <strong>{BEN}</strong>" in page
    assert thief.post(link(), NEW)["Location"] == link()
    assert thief.post(link() + "?known", {"password": PASSWORD})["Location"] == link()
    with in_tenant(tenant):
        assert StaffMember.objects.count() == 1
        assert Invitation.objects.get().accepted_at is None
    # They may log out and hand the chair over.
    thief.post(link(), {"log_out": "yes"})
    assert "First name" in thief.get(link()).content.decode()


def test_who_is_switched_off_does_not_come_in_by_an_invitation(at_desk: Client) -> None:
    UserFactory(email=BEN, is_active=False)
    invite(at_desk)
    assert Client().post(link() + "?known", {"password": PASSWORD}).status_code == 200
    assert Client().post(link(), NEW).status_code == 200
    assert roles_of(BEN) == []


def test_X7_passwords_cannot_be_guessed_at_the_link_either(at_desk: Client, settings: Any) -> None:
    settings.AXES_ENABLED = True
    UserFactory(email=BEN)
    invite(at_desk)
    theirs = Client()
    answers = [theirs.post(link() + "?known", {"password": "wrong"}).status_code for _ in range(12)]
    assert answers[-1] == 429
    assert theirs.post(link() + "?known", {"password": PASSWORD}).status_code == 429
    assert roles_of(BEN) == []


# --- what the answers do not tell ---


def test_the_pages_are_the_same_whether_the_address_has_a_log_in_or_not(at_desk: Client) -> None:
    UserFactory(email="known@rivertrust.test")
    told, pages = [], []
    for email in ("known@rivertrust.test", "fresh@rivertrust.test"):
        told.append(invite(at_desk, email).content.decode().split("is on its way to")[0].count("<"))
        page = Client().get(link()).content.decode()
        pages.append(re.sub(r'value="[\w-]{64}"', "", page.replace(email, "ADDRESS")))
    assert told[0] == told[1]
    assert pages[0] == pages[1]


def test_every_dead_link_gets_the_same_answer(tenant: Tenant, at_desk: Client) -> None:
    now, pages = timezone.now(), []
    for values in ({"withdrawn_at": now}, {"expires_at": now}, {"accepted_at": now}):
        invite(at_desk)
        assert Client().get(link()).status_code == 200
        change(tenant, **values)
        answer = Client().get(link())
        assert answer.status_code == 404
        pages.append(answer.content)
        with in_tenant(tenant):
            Invitation.objects.all().delete()
    pages.append(Client().get("/join/never-was-one/").content)
    assert len(set(pages)) == 1
    assert BEN not in pages[0].decode()


def test_looking_at_the_link_changes_nothing(at_desk: Client) -> None:
    """Programs that check mail for viruses open every link."""
    invite(at_desk)
    before = fingerprint.of_everything()
    for query in ("", "?known"):
        assert Client().get(link() + query).status_code == 200
        assert Client().head(link() + query).status_code == 200
    assert fingerprint.of_everything() == before


# --- sending again, withdrawing ---


def test_X7_sending_again_makes_the_old_link_dead(tenant: Tenant, at_desk: Client) -> None:
    invite(at_desk)
    old = link()
    change(tenant, expires_at=timezone.now() - timedelta(days=1))
    assert "Too old" in at_desk.get("/admin/people/").content.decode()
    at_desk.post(f"/admin/people/invitations/{the_invitation(tenant).pk}/send/")
    assert link() != old
    assert Client().get(old).status_code == 404
    assert Client().post(link(), NEW).status_code == 302


def test_X7_a_withdrawn_invitation_is_dead_and_can_be_made_again(tenant: Tenant, at_desk: Client) -> None:
    invite(at_desk)
    page = at_desk.post(f"/admin/people/invitations/{the_invitation(tenant).pk}/withdraw/", follow=True)
    assert "is withdrawn; its link no longer works" in page.content.decode()
    assert Client().post(link(), NEW).status_code == 404
    assert not User.objects.filter(email=BEN).exists()
    invite(at_desk)
    assert Client().post(link(), NEW).status_code == 302
    with in_tenant(tenant):
        told = list(HistoryEntry.objects.filter(what="invitation").order_by("pk").values_list("verb", flat=True))
    assert told == ["added", "changed", "added"]


def test_X7_what_became_of_an_invitation_is_seen_where_it_stood(tenant: Tenant, at_desk: Client) -> None:
    invite(at_desk)
    row, late = f"invitation-{the_invitation(tenant).pk}", "?invitations=late"
    change(tenant, expires_at=timezone.now() - timedelta(days=1))
    shown = at_desk.get(f"/admin/people/{late}").content.decode()
    send, withdraw = (f"/admin/people/invitations/{row[11:]}/{verb}/{late}" for verb in ("send", "withdraw"))
    assert send in shown and withdraw in shown, "the buttons know which page was open"

    answer = at_desk.post(send)
    assert answer["Location"] == f"/admin/people/?sent={row[11:]}#{row}", "it is late no more, so among all of them"
    page = at_desk.get(answer["Location"]).content.decode()
    assert f'id="{row}"' in page and "A message is on its way to them." in page
    assert "A message is on its way" not in at_desk.get("/admin/people/?sent=0").content.decode()
    assert f"A new invitation is on its way to {BEN}. The link sent before no longer works." in page

    change(tenant, expires_at=timezone.now() - timedelta(days=1))
    answer = at_desk.post(withdraw)
    assert answer["Location"] == f"/admin/people/{late}"
    assert f"The invitation of {BEN} is withdrawn" in at_desk.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("verb", ["send", "withdraw"])
def test_what_was_accepted_meanwhile_is_neither_sent_nor_withdrawn(verb: str, tenant: Tenant, at_desk: Client) -> None:
    invite(at_desk)
    Client().post(link(), NEW)
    before = fingerprint.of_tenant(tenant)
    page = at_desk.post(f"/admin/people/invitations/{the_invitation(tenant).pk}/{verb}/", follow=True)
    assert "has been accepted meanwhile" in page.content.decode()
    assert (fingerprint.of_tenant(tenant), len(mail.outbox)) == (before, 1)


@pytest.mark.parametrize("verb", ["send", "withdraw"])
def test_a_neighbours_invitation_is_not_there(verb: str, tenant: Tenant, neighbour: Tenant, at_desk: Client) -> None:
    invite(logged_in(neighbour))
    before, number = fingerprint.of_tenant(neighbour), the_invitation(neighbour).pk
    assert at_desk.post(f"/admin/people/invitations/{number}/{verb}/").status_code == 404
    assert at_desk.get(f"/admin/people/invitations/{number}/{verb}/").status_code == 405
    assert BEN not in at_desk.get("/admin/people/").content.decode()
    assert fingerprint.of_tenant(neighbour) == before


@pytest.mark.parametrize("role", [Role.MANAGER, Role.STAFF, Role.VIEWER])
def test_only_an_owner_invites(role: str, tenant: Tenant, at_desk: Client) -> None:
    invite(at_desk)
    client, number = logged_in(tenant, role), the_invitation(tenant).pk
    assert invite(client, "other@rivertrust.test").status_code == 403
    for verb in ("send", "withdraw"):
        assert client.post(f"/admin/people/invitations/{number}/{verb}/").status_code == 403
    assert BEN in client.get("/admin/people/").content.decode()
    assert len(mail.outbox) == 1


def test_who_is_here_or_invited_is_not_invited_twice(tenant: Tenant, at_desk: Client) -> None:
    assert "Ana Ruiz works here already, as owner" in invite(at_desk, "Ana@rivertrust.test").content.decode()
    invite(at_desk)
    assert "is invited already" in invite(at_desk, BEN.upper()).content.decode()
    assert len(mail.outbox) == 1


# --- mail that does not go out ---


def test_a_mail_that_was_refused_is_said_and_the_link_is_shown_once(
    tenant: Tenant, at_desk: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    page = invite(at_desk).content.decode()
    assert "The mail server refused the address." in page and "Be careful with it." in page
    found = re.search(r'value="https?://[^/]+(/join/[^"]+)"', page)
    assert found is not None
    listed = at_desk.get("/admin/people/").content.decode()
    assert "Not sent" in listed and "The mail server refused the address." in listed
    assert "/join/" not in listed
    assert Client().post(found.group(1), NEW).status_code == 302


def test_without_a_mail_server_the_link_is_for_the_owner_to_pass_on(
    tenant: Tenant, at_desk: Client, settings: Any, capsys: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    page = invite(at_desk).content.decode()
    assert "not set up to send mail" in page and "/join/" in page


def test_where_mail_works_the_owner_does_not_see_the_link(at_desk: Client) -> None:
    assert "/join/" not in invite(at_desk).content.decode()


# --- not too often ---


def test_an_organization_sends_so_many_a_day_and_another_is_not_kept_from_it(
    tenant: Tenant, neighbour: Tenant, at_desk: Client, settings: Any
) -> None:
    settings.INVITATIONS_PER_DAY = 3
    for number in range(2):
        invite(at_desk, f"person{number}x@rivertrust.test")
    with in_tenant(tenant):
        first = Invitation.objects.first()
    at_desk.post(f"/admin/people/invitations/{first.pk}/send/")
    assert len(mail.outbox) == 3
    assert "as many as one day allows" in invite(at_desk, BEN).content.decode()
    again = at_desk.post(f"/admin/people/invitations/{first.pk}/send/", follow=True).content.decode()
    assert "as many as one day allows" in again
    with in_tenant(tenant):
        assert Invitation.objects.count() == 2
        assert Invitation.objects.get(pk=first.pk).secret_hash, "the link that went out last still works"
    assert Client().get(link()).status_code == 200
    invite(logged_in(neighbour))
    assert len(mail.outbox) == 4


def ask(address: str = BEN, visitor: str = "198.51.100.7") -> Any:
    return Client(REMOTE_ADDR=visitor).post("/admin/forgotten/", {"email": address})


def test_a_forgotten_password_is_mailed_so_often_to_one_address_whoever_asks(tenant: Tenant) -> None:
    for email in (BEN, "cleo@rivertrust.test"):
        place(UserFactory(email=email), tenant)
    answers = [ask(BEN.upper() if n % 2 else BEN, f"198.51.100.{n}") for n in range(8)]
    assert len(mail.outbox) == 5
    nobody = ask("nobody@rivertrust.test")
    assert {(a.status_code, a["Location"]) for a in [*answers, nobody]} == {(302, "/admin/forgotten/sent/")}
    ask("cleo@rivertrust.test")
    assert len(mail.outbox) == 6


def test_one_visitor_does_not_ask_for_everybody(tenant: Tenant) -> None:
    for number in range(40):
        place(UserFactory(email=f"colleague{number}@rivertrust.test"), tenant)
    answers = {ask(f"colleague{number}@rivertrust.test")["Location"] for number in range(40)}
    assert (len(mail.outbox), answers) == (30, {"/admin/forgotten/sent/"})
    ask("colleague39@rivertrust.test", "203.0.113.9")
    assert len(mail.outbox) == 31


def test_behind_a_proxy_only_what_the_proxy_saw_counts(settings: Any) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="1.1.1.1, 198.51.100.7")
    assert throttle.visitor(request) == "10.0.0.1", "anybody can send that header"
    settings.BEHIND_PROXY = True
    assert throttle.visitor(request) == "198.51.100.7"
    assert throttle.visitor(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1")) == "", "all would look like one"


def test_tallies_keep_no_addresses_and_are_forgotten() -> None:
    hour = timedelta(hours=1)
    assert [throttle.is_too_often("x", BEN, 2, hour) for _ in range(3)] == [False, False, True]
    tally = Tally.objects.get()
    assert (tally.count, BEN in tally.key) == (3, False)
    assert throttle.forget_old_tallies() == 0
    Tally.objects.update(since=timezone.now() - timedelta(days=3))
    assert throttle.forget_old_tallies() == 1


@pytest.mark.django_db(transaction=True)
def test_processes_that_count_at_once_miss_nothing() -> None:
    def count() -> None:
        for _ in range(5):
            throttle.is_too_often("x", BEN, 99, timedelta(hours=1))
        connection.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(Tally.objects.values_list("count", flat=True)) == 20
