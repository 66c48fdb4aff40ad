"""T2: notes are sent once, never to whoever must not be written to, and failures are shown; T3: mail to staff."""

from datetime import date, timedelta
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from contacts.models import ConsentEvent, Contact, EmailAddress
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts import assessing
from gifts.models import Gift, MilestoneReached, Reassessment
from gifts.services import record_gift, record_gifts, refund, today
from tasks_app import asking, jobs, mail_to_staff, merge_fields, notes, services
from tasks_app.models import Note, NoteTemplate, Notifications, Reason, ThanksSettings, ThankYou
from tests.factories import ContactFactory
from tests.gifts.rules import look, make_rule
from tests.tasks_app.people import only, staff, wants

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]
DAY = date(2026, 5, 1)
GOOD = {"subject": "Thank you, {{ first_name }}", "body": "{{ amount }} on {{ date }}: {{ reason }} {{ total }}"}


@pytest.fixture
def note(donor: Contact) -> Note:
    """One that waits, for a gift."""
    wants(gift_action="note", template=NoteTemplate.objects.create(name="Warm", **GOOD))
    record_gift(donor, 100, DAY)
    found: Note = Note.objects.get()
    return found


def send(tenant: Tenant) -> Note:
    """What the job does, and what became of the note."""
    jobs.send_notes(tenant.pk)
    found: Note = Note.objects.get()
    return found


def test_T2_a_note_is_sent_once_with_its_fields_filled_in(tenant: Tenant, note: Note) -> None:
    sent = send(tenant)
    send(tenant)
    assert (sent.state, sent.why) == ("sent", "")
    (letter,) = mail.outbox
    assert letter.subject == "Thank you, Ana"
    assert letter.body == "$100.00 on May 1, 2026: Ana made a $100.00 donation. $100.00"
    assert letter.to == [sent.address]


def test_T2_a_delay_is_kept(tenant: Tenant, donor: Contact) -> None:
    wants(gift_action="note", template=NoteTemplate.objects.create(name="Later", delay_hours=48, **GOOD))
    record_gift(donor, 100, DAY)
    assert send(tenant).state == "waiting"
    Note.objects.update(due_at=timezone.now())
    assert send(tenant).state == "sent"


@pytest.mark.parametrize(("one_per", "count"), [("donor", 1), ("rule", 2)])
def test_T2_a_milestone_joins_the_waiting_note_for_the_gift_that_reached_it(
    tenant: Tenant, donor: Contact, one_per: str, count: int
) -> None:
    later = NoteTemplate.objects.create(name="Later", delay_hours=48, **GOOD)
    wants(gift_action="note", template=later, one_per=one_per)
    record_gift(donor, 100, DAY)
    gift = Gift.objects.get()

    def reach(sentence: str) -> None:
        reason = Reason(sentence=sentence, gift=gift, on=DAY, amount=gift.net)
        asking.ask([asking.Wish(donor, asking.NOTE, reason, 7)], ThanksSettings.now(), asking.Asked())

    reach("Ana has made 1 gift.")
    assert Note.objects.count() == count and Reason.objects.standing().count() == 2
    record_gift(donor, 50, DAY + timedelta(days=1))
    assert Note.objects.count() == count + 1, "another gift has a note of its own, with its own amount"
    Note.objects.update(due_at=timezone.now())
    jobs.send_notes(tenant.pk)
    reach("Ana has made 2 gifts.")
    assert Note.objects.count() == count + 2, "what comes after it was sent is told anew"


def test_T2_M6_a_gift_that_reaches_a_milestone_is_thanked_for_in_one_mail_also_without_a_delay(
    tenant: Tenant, donor: Contact
) -> None:
    wants(gift_action="note", template=NoteTemplate.objects.create(name="Warm", **GOOD))
    rule = make_rule("number", 1, action="note")
    record_gift(donor, 100, today())
    other: Contact = ContactFactory(email="bea@rivermail.test")
    notes.write(other, NoteTemplate.objects.get(), "By hand.")
    Reassessment.objects.create(contact=other)
    jobs.send_notes(tenant.pk)
    assert [letter.to for letter in mail.outbox] == [["bea@rivermail.test"]], "one by hand waits for nothing"
    look()
    assert MilestoneReached.objects.filter(rule=rule, is_quiet=False).exists(), "the control: it is reached"
    jobs.send_notes(tenant.pk)
    assert len(mail.outbox) == 2 and Note.objects.get(contact=donor).reasons.count() == 2


def test_T2_a_look_for_milestones_that_fails_holds_no_note_up(tenant: Tenant, note: Note, donor: Contact) -> None:
    Reassessment.objects.create(contact=donor)
    assert send(tenant).state == "waiting", "the control: it waits for the look"
    assessing.put_off(donor.pk)
    assert send(tenant).state == "sent"


def test_T2_milestones_by_two_gifts_of_one_note_join_it(donor: Contact) -> None:
    wants(gift_action="note", template=NoteTemplate.objects.create(name="Later", delay_hours=48, **GOOD))
    record_gifts([Gift(contact=donor, amount=amount, received_on=DAY) for amount in (10, 20)])
    assert Note.objects.count() == 1, "the control: both gifts are in one note"
    reached = [Reason(sentence="Reached.", gift=gift, on=DAY, amount=gift.net) for gift in Gift.objects.all()]
    wishes = [asking.Wish(donor, asking.NOTE, reason, 7) for reason in reached]
    asking.ask(wishes, ThanksSettings.now(), asking.Asked())
    assert Note.objects.count() == 1


def test_M9_a_note_for_a_gift_of_a_day_to_come_waits_for_that_day_where_the_organization_is(
    tenant: Tenant, donor: Contact
) -> None:
    wants(gift_action="note", template=NoteTemplate.objects.create(name="Warm", **GOOD))
    record_gift(donor, 10, today() + timedelta(days=9))
    due_at = Note.objects.get().due_at.astimezone(tenant.tz)
    assert (due_at.date(), due_at.hour) == (today() + timedelta(days=9), 0)


def opted_out(donor: Contact) -> None:
    with acting(By.PERSON, "Mailchimp"):
        ConsentEvent.by_actor(
            ConsentEvent.Kind.OPT_OUT, donor.uid, contact_name=str(donor), place="mailchimp audience:a"
        ).save()


def bounced(donor: Contact) -> None:
    EmailAddress.objects.filter(contact=donor).update(state="bounced")


def do_not_contact(donor: Contact) -> None:
    Contact.objects.filter(pk=donor.pk).update(do_not_contact=True)


def no_address(donor: Contact) -> None:
    EmailAddress.objects.filter(contact=donor).delete()


def spouse_said_no(donor: Contact) -> None:
    other = ContactFactory(email="", do_not_contact=True)
    EmailAddress.objects.create(contact=other, address=donor.email_addresses.get().address, is_primary=True)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (do_not_contact, "under Do Not Contact"), (opted_out, "has asked not to be written to"),
        (bounced, "cannot be used: bounced"), (no_address, "has no email address"),
        (spouse_said_no, "also belongs to somebody who is under Do Not Contact"),
    ],
)  # fmt: skip
def test_T2_whoever_must_not_be_written_to_gets_none_even_if_it_was_made_before(
    tenant: Tenant, note: Note, donor: Contact, happens: Any, why: str
) -> None:
    happens(donor)
    held = send(tenant)
    assert held.state == "held"
    assert why in held.why
    assert mail.outbox == []
    notes.send_again(held)
    assert send(tenant).state == "held", "sending again looks again"
    assert mail.outbox == []
    with pytest.raises(notes.NoteRefused, match=why):
        notes.write(donor, NoteTemplate.objects.create(name="By hand", **GOOD), "By hand")


def test_T2_opting_out_of_one_list_is_no_opt_out_of_thanks(tenant: Tenant, note: Note, donor: Contact) -> None:
    with acting(By.PERSON, "Mailchimp"):
        ConsentEvent.by_actor(
            ConsentEvent.Kind.OPT_OUT, donor.uid, contact_name="", list_uid=donor.uid, list_name="Gala"
        ).save()
    assert send(tenant).state == "sent"


def test_T2_a_failure_is_shown_with_its_reason_and_can_be_sent_again(
    tenant: Tenant, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: EmailMessage, *args: Any, **kwargs: Any) -> int:
        raise OSError("mailbox full")

    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", refuse)
        failed = send(tenant)
    assert (failed.state, failed.why) == ("failed", "The mail server did not take it: mailbox full")
    assert send(tenant).state == "failed", "it is not repeated by itself"
    notes.send_again(failed)
    assert send(tenant).state == "sent"
    with pytest.raises(notes.NoteRefused):
        notes.send_again(failed)


def test_T2_a_mail_server_that_falls_silent_leaves_the_question_to_a_person(
    tenant: Tenant, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(self: EmailMessage, *args: Any, **kwargs: Any) -> int:
        raise TimeoutError

    monkeypatch.setattr(EmailMessage, "send", silent)
    assert (send(tenant).state, send(tenant).why) == ("failed", notes.NO_ANSWER)


def test_T2_a_worker_that_is_killed_while_sending_repeats_nothing(
    tenant: Tenant, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(row: Note) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(notes, "hand_over", killed)
        with pytest.raises(KeyboardInterrupt):
            send(tenant)
    assert Note.objects.get().state == "maybe", "it was marked before the mail server was asked"
    assert send(tenant).state == "maybe"
    Note.objects.update(began_at=timezone.now() - timedelta(minutes=11))
    assert notes.tenants() == [tenant.pk]
    told = send(tenant)
    assert (told.state, told.why) == ("failed", notes.NOBODY_KNOWS)
    assert mail.outbox == []


def test_T2_a_waiting_note_can_be_stopped_and_a_lost_bell_is_rung_again(tenant: Tenant, note: Note) -> None:
    assert notes.tenants() == [tenant.pk]
    notes.stop(note)
    assert notes.tenants() == []
    assert send(tenant).state == "withdrawn"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ first_name }} {{amount}}", ""), ("plain", ""), ("{{ nick }}", "There is no field “nick”."),
        ("{{ first_name }", "A field is not closed"), ("{{ }}", "There is no field “”."),
        ("{{ first_name.__class__ }}", "There is no field"), ("{% load x %}", ""),
    ],
)  # fmt: skip
def test_T2_unknown_fields_are_refused_with_what_there_is(text: str, problem: str) -> None:
    assert merge_fields.problem(text).startswith(problem)
    assert bool(merge_fields.problem(text)) == bool(problem)


def test_T2_a_name_that_looks_like_a_field_stays_a_name() -> None:
    assert merge_fields.filled("Dear {{ first_name }}", {"first_name": "{{ total }}", "total": "$9"}) == (
        "Dear {{ total }}"
    )


def test_T2_a_subject_is_one_line(tenant: Tenant, note: Note, donor: Contact) -> None:
    Contact.objects.filter(pk=donor.pk).update(first_name="Ana\r\nBcc: x@evil.test")
    sent = send(tenant)
    assert sent.state == "sent"
    assert "\n" not in sent.subject
    assert mail.outbox[0].recipients() == [sent.address]


def test_T2_notes_that_may_not_be_sent_are_put_aside_one_by_one(
    tenant: Tenant, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        record_gift(ContactFactory(do_not_contact=False), 5, DAY)
    Contact.objects.update(do_not_contact=True)
    asked: list[Contact] = []

    def why_not(contact: Contact) -> tuple[str, str]:
        asked.append(contact)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return "", "Do Not Contact."

    monkeypatch.setattr(notes, "why_not", why_not)
    with pytest.raises(KeyboardInterrupt):
        notes.turn(tenant.pk)
    assert Note.objects.filter(state="held").count() == 2, "what was found out is kept, however many there are"
    monkeypatch.setattr(notes, "why_not", lambda contact: ("", "Do Not Contact."))
    Note.objects.update(state="waiting")
    assert notes.turn(tenant.pk, seconds=0) is True and Note.objects.filter(state="held").count() == 1


@pytest.mark.parametrize("name", ['River "Trust"', "River Trust\\", "Trust, River <x@evil.test>", "Fluß"])
def test_T2_the_senders_name_is_a_name_whatever_is_in_it(tenant: Tenant, note: Note, name: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(from_name=name, from_email="thanks@rivertrust.test")
    assert send(tenant).state == "sent"
    (letter,) = mail.outbox
    assert parseaddr(str(make_header(decode_header(letter.message()["From"])))) == (name, "thanks@rivertrust.test")


@pytest.mark.parametrize(("gives", "said"), [(True, "Ana made a $100.00 donation."), (False, "")])
def test_T2_a_note_by_hand_says_to_the_donor_nothing_of_how_it_was_made(
    tenant: Tenant, donor: Contact, gives: bool, said: str
) -> None:
    if gives:
        record_gift(donor, 100, DAY, is_history=True)
    notes.write(donor, NoteTemplate.objects.create(name="Why", subject="Hello", body="<{{ reason }}>"), "By hand")
    assert send(tenant).body == f"<{said}>"


def test_M9_a_note_for_a_gift_of_a_day_to_come_waits_for_that_day(tenant: Tenant, donor: Contact) -> None:
    wants(gift_action="note", template=NoteTemplate.objects.create(name="Warm", **GOOD))
    day = today() + timedelta(days=3)
    record_gift(donor, 100, day)
    assert send(tenant).state == "waiting"
    assert timezone.localtime(Note.objects.get().due_at).date() == day


def test_T2_a_note_by_hand_that_is_pressed_twice_is_one(tenant: Tenant, donor: Contact) -> None:
    template = NoteTemplate.objects.create(name="Warm", **GOOD)
    notes.write(donor, template, "By hand")
    with pytest.raises(notes.NoteRefused):
        notes.write(donor, template, "By hand")
    assert send(tenant).state == "sent"
    with pytest.raises(notes.NoteRefused):
        notes.write(donor, template, "By hand")
    Note.objects.update(sent_at=timezone.now() - timedelta(minutes=6))
    notes.write(donor, template, "By hand")


def test_T2_a_refund_while_the_mail_server_is_asked_stays_to_be_seen(
    tenant: Tenant, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(row: Note) -> str:
        refund(Gift.objects.get(), 100, DAY)
        return ""

    monkeypatch.setattr(notes, "hand_over", meanwhile)
    sent = send(tenant)
    assert sent.state == "sent" and "was refunded" in sent.why


# --- T3 ---


def test_T3_a_name_with_a_line_break_stops_no_mail(donor: Contact) -> None:
    marcus = staff("Marcus Reid")
    Notifications.objects.create(member=marcus, on_assignment=True)
    Contact.objects.filter(pk=donor.pk).update(first_name="Ana\r\nBcc: x@evil.test")
    services.assign_many([services.ask_by_hand(Contact.objects.get(), "Helping").pk], marcus)
    mail_to_staff.tell_assignees()
    (letter,) = mail.outbox
    assert letter.recipients() == [marcus.user.email] and "\n" not in letter.subject


def test_T3_on_assignment_one_mail_to_whoever_wants_it_and_none_for_what_one_took_oneself(donor: Contact) -> None:
    marcus, stella = staff("Marcus Reid"), staff("Stella Novak")
    Notifications.objects.create(member=marcus, on_assignment=True)
    record_gift(donor, 100, DAY)
    services.hand_over(only(), stella)
    mail_to_staff.tell_assignees()
    assert mail.outbox == []
    with acting(By.STAFF, "Almoner", marcus.user):
        services.hand_over(only(), marcus)
    mail_to_staff.tell_assignees()
    assert mail.outbox == []
    services.hand_over(only(), None)
    services.hand_over(only(), marcus)
    mail_to_staff.tell_assignees()
    mail_to_staff.tell_assignees()
    (letter,) = mail.outbox
    assert letter.to == [marcus.user.email]
    assert "A thank-you for you: Ana Ruiz" in letter.subject
    assert "Ana made a $100.00 donation. Due" in letter.body
    assert mail_to_staff.tenants() == []


def test_T3_many_at_once_are_one_mail(tenant: Tenant) -> None:
    marcus = staff("Marcus Reid")
    Notifications.objects.create(member=marcus, on_assignment=True)
    pks = [services.ask_by_hand(ContactFactory(), "Helping").pk for _ in range(12)]
    services.assign_many(pks, marcus)
    assert mail_to_staff.tenants() == [tenant.pk]
    jobs.mail_assignments(tenant.pk)
    (letter,) = mail.outbox
    assert "12 thank-yous for you" in letter.subject
    assert "And 2 more." in letter.body


def test_T3_the_week_is_mailed_once_to_whoever_wants_it(tenant: Tenant, neighbour: Tenant) -> None:
    marcus, stella = staff("Marcus Reid"), staff("Stella Novak")
    for one in (marcus, stella):
        Notifications.objects.create(member=one, weekly=one is marcus)
    services.ask_by_hand(ContactFactory(), "Helping", marcus)
    services.ask_by_hand(ContactFactory(), "Helping")
    ThankYou.objects.filter(assignee=None).update(due_on=today() - timedelta(days=2))
    jobs.mail_digests(tenant.pk)
    jobs.mail_digests(tenant.pk)
    jobs.mail_digests(neighbour.pk)
    (letter,) = mail.outbox
    assert letter.to == [marcus.user.email]
    assert "1 thank-you is waiting for you:" in letter.body
    assert "1 thank-you is waiting for the team, for whoever comes first, 1 of them overdue" in letter.body
    with in_tenant(neighbour):
        assert mail_to_staff.digest_words(staff("Nia Oh")) is None
