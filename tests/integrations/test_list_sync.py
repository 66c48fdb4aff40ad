"""The rules of list synchronization, clause by clause, for each vendor and way of modelling lists, at the sandboxes."""

from unittest.mock import Mock

import pytest
from django.utils import timezone

from contacts import services
from contacts.models import ConsentEvent, Contact, EmailAddress, ListMembership
from contacts.tenancy.acting import By
from integrations.models import Delivery, RemoteRecord
from integrations.provider_kit.errors import Retry
from integrations.providers import provider_for
from integrations.providers.mailchimp import Mailchimp
from integrations.sync import outbox, pull, reading, slices
from integrations.sync.push import Sitting
from tests.integrations.constant_contact import ConstantContactWorld
from tests.integrations.engine import World

pytestmark = pytest.mark.usefixtures("in_tenant")


def a_world(request, tenant, how: str) -> World:
    """An organization that is connected in this way."""
    if how == "constant_contact":
        request.getfixturevalue("quick_activities")
        return ConstantContactWorld(tenant, request.getfixturevalue("constant_contact"))
    return World(tenant, request.getfixturevalue("sandbox"), how)


@pytest.fixture(params=["tags", "audiences", "constant_contact"])
def world(request, tenant) -> World:
    """Each vendor, and each way of modelling."""
    return a_world(request, tenant, request.param)


@pytest.fixture(params=["tags", "constant_contact"])
def shared(request, tenant) -> World:
    """Each vendor, with everybody in one place."""
    return a_world(request, tenant, request.param)


@pytest.fixture
def tags(tenant, sandbox) -> World:
    return World(tenant, sandbox, "tags")


def home(world: World, one) -> str:
    """Where members of this list live at the sandbox."""
    return world.home(one)


def seen(world: World, contact_or_email, one) -> str:
    """ "on", a status, "off" (subscribed, but not on that list) or "absent", as the vendor has it."""
    return world.seen(contact_or_email, one)


def test_L9_a_flagged_list_is_created_there_with_its_members(world) -> None:
    one = world.a_list()
    ana = world.person("ana@rivermail.test", one)
    world.push()
    assert seen(world, ana, one) == "on"


def test_L9_setting_the_flag_later_does_the_same(world) -> None:
    one = world.a_list(synchronize=False)
    ana = world.person("ana@rivermail.test", one)
    assert world.push() == 0
    one.synchronize = True
    one.save()
    world.push()
    assert seen(world, ana, one) == "on"


def test_L10_clearing_the_flag_takes_everybody_off_and_keeps_the_list_here(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    ana, ben = world.person("ana@rivermail.test", one), world.person("ben@rivermail.test", one, two)
    world.push()
    one.synchronize = False
    one.save()
    world.push()
    assert seen(world, ana, one) == "archived"
    assert seen(world, ben, one) in ("off", "archived")
    assert seen(world, ben, two) == "on"
    assert one.memberships.count() == 2


def test_L11_renaming_renames_there_and_moves_nobody(world) -> None:
    one = world.a_list("News")
    ana = world.person("ana@rivermail.test", one)
    world.push()
    one.name = "River News"
    one.save()
    since = len(world.calls())
    world.push()
    assert seen(world, ana, one) == "on"
    assert world.record(one).known["names"] == dict.fromkeys(world.record(one).known["names"], "River News")
    assert not [c for c in world.writes(since) if "/members" in c["path"] or "/contacts" in c["path"]]


def test_L12_a_contact_put_on_a_list_appears_there(world) -> None:
    one = world.a_list()
    world.push()
    ana = world.person("ana@rivermail.test", one)
    world.push()
    assert seen(world, ana, one) == "on"
    assert world.first_name("ana@rivermail.test", one) == "Ana"


def test_L6_L13_nobody_without_a_good_address_or_with_DNC_is_sent_and_the_reason_is_kept(world) -> None:
    one = world.a_list()
    people = {
        "dnc_contact": world.person("dnc@rivermail.test", one, do_not_contact=True),
        "no_email": world.person("", one),
        "email_bounced": world.person("bounced@rivermail.test", one),
        "dnc_list": world.person("here@rivermail.test", one),
    }
    people["email_bounced"].email_addresses.update(state=EmailAddress.State.BOUNCED)
    ListMembership.objects.filter(contact=people["dnc_list"]).update(do_not_contact=True)
    world.push()
    for code, contact in people.items():
        record = world.record(contact)
        assert (record.state, record.reason_code) == (RemoteRecord.State.SKIPPED, code)
        if contact.primary_email:
            assert seen(world, contact, one) == "absent"


def test_L7_DNC_of_one_list_concerns_that_list_only(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    ana = world.person("ana@rivermail.test", one, two)
    world.push()
    ListMembership.objects.filter(contact=ana, contact_list=one).update(do_not_contact=True)
    world.push()
    assert seen(world, ana, one) in ("off", "unsubscribed")
    assert seen(world, ana, two) == "on"


def test_L14_setting_DNC_unsubscribes_and_takes_off_every_list(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    ana = world.person("ana@rivermail.test", one, two)
    world.push()
    services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), True)
    world.push()
    assert {seen(world, ana, one), seen(world, ana, two)} == {"unsubscribed"}
    if world.connection.settings.get("mode") != "audiences":
        assert world.standing("ana@rivermail.test")[1] == []


def test_L15_clearing_DNC_puts_them_back_on_their_lists(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    ana = world.person("ana@rivermail.test", one, two)
    world.push()
    for value in (True, False):
        services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), value)
        world.push()
    assert {seen(world, ana, one), seen(world, ana, two)} == {"on"}


def test_L15_after_the_persons_own_opt_out_they_are_asked_and_the_page_says_so(shared) -> None:
    one = shared.a_list()
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    shared.act("person", "unsubscribe", email="ana@rivermail.test")
    shared.connection.save()
    listen(shared)
    assert shared.place(ana, one).do_not_contact
    shared.place(ana, one)
    ListMembership.objects.filter(contact=ana).update(do_not_contact=False)
    shared.push()
    assert shared.standing("ana@rivermail.test")[0] == "pending"
    record = shared.record(ana)
    assert (record.state, record.reason_code) == (RemoteRecord.State.WAITING, "waiting_confirmation")
    shared.act("person", "confirm", email="ana@rivermail.test")
    look(shared, "ana@rivermail.test")
    assert seen(shared, ana, one) == "on"
    assert shared.record(ana).state == RemoteRecord.State.OK


def test_L16_a_changed_name_and_address_update_the_same_person(world) -> None:
    one = world.a_list()
    ana = world.person("ana@rivermail.test", one)
    world.push()
    contact_id = world.there("ana@rivermail.test", home(world, one))["contact_id"]
    ana.first_name = "Anna"
    ana.save()
    email = ana.email_addresses.get()
    email.address = "anna@rivermail.test"
    email.save()
    world.push()
    assert world.there("anna@rivermail.test", home(world, one))["contact_id"] == contact_id
    assert world.first_name("anna@rivermail.test", one) == "Anna"
    assert seen(world, ana, one) == "on"
    assert world.there("ana@rivermail.test", home(world, one)) is None


def test_L16_when_the_new_address_exists_there_the_old_one_does_not_stay_subscribed(shared) -> None:
    one = shared.a_list()
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    shared.stranger("anna@rivermail.test")
    email = ana.email_addresses.get()
    email.address = "anna@rivermail.test"
    email.save()
    shared.push()
    assert shared.standing("ana@rivermail.test")[0] == "archived"
    assert seen(shared, ana, one) == "on"


def test_L24a_an_address_change_of_an_unsubscribed_member_leaves_them_unsubscribed(shared) -> None:
    one = shared.a_list()
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    shared.act("person", "unsubscribe", email="ana@rivermail.test")
    listen(shared)
    email = ana.email_addresses.get()
    email.address = "anna@rivermail.test"
    email.save()
    shared.push()
    assert (shared.standing("anna@rivermail.test") or ["absent"])[0] in ("absent", "unsubscribed")
    assert shared.standing("ana@rivermail.test") is None or shared.standing("ana@rivermail.test")[0] == "unsubscribed"


def test_L17_leaving_one_of_two_lists(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    ana = world.person("ana@rivermail.test", one, two)
    world.push()
    services.take_off_list(one, Contact.objects.filter(pk=ana.pk))
    world.push()
    assert seen(world, ana, one) in ("off", "archived")
    assert seen(world, ana, two) == "on"


def test_L17_leaving_the_last_list_archives_and_never_unsubscribes_and_coming_back_is_possible(world) -> None:
    one = world.a_list()
    ana = world.person("ana@rivermail.test", one)
    world.push()
    services.take_off_list(one, Contact.objects.filter(pk=ana.pk))
    world.push()
    assert seen(world, ana, one) == "archived"
    services.add_to_list(one, Contact.objects.filter(pk=ana.pk))
    world.push()
    assert seen(world, ana, one) == "on"


def test_L18_deleting_a_list_deletes_it_there_and_disables_who_is_on_no_other(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    ana, ben = world.person("ana@rivermail.test", one), world.person("ben@rivermail.test", one, two)
    world.push()
    gone = home(world, one)
    one.delete()
    world.push()
    assert seen(world, ben, two) == "on"
    if world.connection.settings.get("mode") != "audiences":
        assert world.standing("ana@rivermail.test") == ("archived", [])
        assert world.standing("ben@rivermail.test") == ("subscribed", ["Two"])
    else:
        assert gone not in world.account.audiences
    assert ana.memberships.count() == 0


def test_L19_deleting_a_contact_takes_them_off_everything_there(world) -> None:
    one, two = world.a_list("One"), world.a_list("Two")
    ana = world.person("ana@rivermail.test", one, two)
    world.push()
    homes = {home(world, one), home(world, two)}
    ana.delete()
    world.push()
    assert {world.standing("ana@rivermail.test", audience)[0] for audience in homes} == {"archived"}


@pytest.mark.parametrize("how", ["deleted", "invalid"])
def test_L20_without_a_usable_primary_address_they_are_off_the_lists(world, how) -> None:
    one = world.a_list()
    ana = world.person("ana@rivermail.test", one)
    world.push()
    if how == "deleted":
        ana.email_addresses.all().delete()
    else:
        ana.email_addresses.update(state=EmailAddress.State.INVALID)
    world.push()
    assert seen(world, "ana@rivermail.test", one) == "archived"


def listen(world: World) -> None:
    """A reading of everybody who opted out there, and whatever follows from it."""
    from integrations.sync.serve import serve

    serve(world.connection.pk, listen=True)
    world.push()


def look(world: World, email: str, *before: str) -> None:
    """As if a message about this person had come in; `before`: their former address."""
    provider = provider_for(world.connection)
    container = slices.policy_of(world.connection).container
    member = provider.look(container, email, "", slices.places_of(world.connection))
    pull.apply(world.connection, container, member, (email, *before))
    world.push()


def hourly(world: World) -> None:
    """The reading of everybody who left, and what it leads to."""
    with provider_for(world.connection) as provider:
        reading.listen(world.connection, provider)
    world.push()


def test_L21_an_unsubscribe_there_is_DNC_here_in_the_ledger_and_echoes_nothing(shared) -> None:
    one, two = shared.a_list("One"), shared.a_list("Two")
    ana = shared.person("ana@rivermail.test", one, two)
    ben = shared.person("ben@rivermail.test", one)
    shared.push()
    shared.act("person", "unsubscribe", email="ana@rivermail.test")
    since = len(shared.calls())
    listen(shared)
    assert shared.place(ana, one).do_not_contact and shared.place(ana, two).do_not_contact
    assert not shared.place(ben, one).do_not_contact
    assert shared.writes(since) == []
    word = ConsentEvent.objects.filter(contact_uid=ana.uid, kind=ConsentEvent.Kind.OPT_OUT).get()
    assert (word.by, word.address, word.source) == (By.PERSON, "ana@rivermail.test", str(shared.connection))
    again = ConsentEvent.objects.count()
    listen(shared)
    assert ConsentEvent.objects.count() == again  # heard twice is heard once


def test_L35_an_address_that_we_unsubscribed_for_somebody_else_is_no_word_of_whoever_gets_it(shared) -> None:
    one = shared.a_list()
    ana, dan = shared.person("ana@rivermail.test", one), shared.person("dan@rivermail.test", one)
    shared.push()
    ana.do_not_contact = True
    ana.save()
    shared.push()
    assert shared.seen("ana@rivermail.test", one) == "unsubscribed"
    ana.email_addresses.update(address="cleo@rivermail.test", address_key="cleo@rivermail.test")
    dan.email_addresses.update(address="ana@rivermail.test", address_key="ana@rivermail.test")
    shared.push()
    assert not ConsentEvent.objects.filter(by=By.PERSON).exists()
    dan = Contact.objects.get(pk=dan.pk)
    assert dan.do_not_contact and shared.record(dan).reason_code == "dnc_contact", "it came with the address"
    dan.do_not_contact = False
    dan.save()
    shared.push()
    place = shared.place(dan, one)
    assert place.do_not_contact and shared.record(dan).reason_code == "dnc_list"
    place.do_not_contact = False
    place.save()
    shared.push()
    assert shared.seen("ana@rivermail.test", one) == "on"  # nobody is asked: it was staff's doing, and staff undo it


def test_L35_nor_where_the_person_had_once_left_and_come_back(tags) -> None:
    """What they said last was that they want mail; that it stopped again was staff's doing."""
    mail, one, two = "ana@rivermail.test", tags.a_list("One"), tags.a_list("Two")
    ana = tags.person(mail, one)
    tags.push()
    tags.act("person", "unsubscribe", email=mail)
    look(tags, mail)
    tags.act("person", "resubscribe", email=mail)
    look(tags, mail)
    ana = Contact.objects.get(pk=ana.pk)
    ana.do_not_contact = True
    ana.save()
    tags.push()
    said = ConsentEvent.objects.filter(by=By.PERSON).count()
    spouse = tags.person(mail, two, first_name="Ben")
    tags.push()
    assert ConsentEvent.objects.filter(by=By.PERSON).count() == said
    assert tags.record(spouse).reason_code == "dnc_list" and tags.seen(spouse, two) == "unsubscribed"
    ListMembership.objects.filter(contact=spouse).update(do_not_contact=False)
    tags.push()
    assert tags.seen(spouse, two) == "on"


def test_L35_after_an_own_opt_out_nothing_that_staff_do_subscribes(shared) -> None:
    one, two = shared.a_list("One"), shared.a_list("Two")
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    shared.act("person", "unsubscribe", email="ana@rivermail.test")
    listen(shared)
    ListMembership.objects.create(contact=ana, contact_list=two)
    ListMembership.objects.filter(contact=ana, contact_list=one).delete()
    ListMembership.objects.create(contact=ana, contact_list=one)
    ana.first_name = "Anna"
    ana.save()
    shared.push()
    assert shared.standing("ana@rivermail.test")[0] == "unsubscribed"
    assert shared.record(ana).reason_code == "opted_out"
    ana.delete()
    reborn = shared.person("ANA@rivermail.test", one)
    shared.push()
    assert shared.standing("ana@rivermail.test")[0] == "unsubscribed"
    assert shared.record(reborn).reason_code == "opted_out"


def test_L35_who_opted_out_is_not_sent_under_another_address_when_they_are_deleted_and_added_again(shared) -> None:
    one = shared.a_list()
    ana, ben = shared.person("ana@rivermail.test", one), shared.person("ben@rivermail.test", one)
    for who in (ana, ben):
        EmailAddress.objects.create(contact=who, address=f"work.{who.primary_email}")
    shared.push()
    shared.act("person", "unsubscribe", email="ana@rivermail.test")
    listen(shared)
    for who in (ana, ben):
        Contact.objects.get(pk=who.pk).delete()
    reborn, other = (shared.person(f"work.{name}@rivermail.test", one) for name in ("ana", "ben"))
    shared.push()
    assert shared.seen(reborn, one) == "absent" and shared.record(reborn).reason_code == "opted_out"
    assert shared.seen(other, one) == "on", "who had not opted out is sent"

    same = shared.person("ana@rivermail.test", one)
    shared.push()
    same.email_addresses.update(address="third@rivermail.test", address_key="third@rivermail.test")
    shared.push()
    assert shared.seen(same, one) == "absent" and shared.record(same).reason_code == "opted_out"


def test_L35_who_was_added_again_and_subscribes_there_themselves_is_heard(tags) -> None:
    one, other = tags.a_list("One"), tags.a_list("Other")
    ana, ben = (tags.person(f"{name}@rivermail.test", one) for name in ("ana", "ben"))
    tags.push()
    for who in (ana, ben):
        tags.act("person", "unsubscribe", email=str(who.primary_email))
    listen(tags)
    for who in (ana, ben):
        Contact.objects.get(pk=who.pk).delete()
    ana, ben = (tags.person(f"{name}@rivermail.test", one, other) for name in ("ana", "ben"))
    tags.push()
    tags.act("person", "resubscribe", email="ana@rivermail.test")
    look(tags, "ana@rivermail.test")
    assert tags.seen(ana, one) == tags.seen(ana, other) == "on"
    assert tags.seen(ben, one) == "unsubscribed" and tags.record(ben).reason_code == "opted_out"


def test_L22_a_cleaned_address_is_marked_bounced_and_the_contact_is_not_eligible(tags) -> None:
    one = tags.a_list()
    ana = tags.person("ana@rivermail.test", one)
    tags.push()
    tags.act("holder", "clean", email="ana@rivermail.test")
    since = len(tags.calls())
    listen(tags)
    assert ana.email_addresses.get().state == EmailAddress.State.BOUNCED
    assert tags.record(ana).reason_code == "email_bounced"
    assert tags.writes(since) == []


@pytest.mark.parametrize("who", ["ours", "theirs"])
def test_L22_who_wins_when_address_or_name_change_there_with_settings_of_an_earlier_version(tags, who) -> None:
    tags.connection.settings["who_wins"] = {"address": who, "profile": who}
    tags.connection.save()
    one = tags.a_list()
    ana = tags.person("ana@rivermail.test", one)
    tags.push()
    tags.act("person", "update_profile", email="ana@rivermail.test", merge_fields={"FNAME": "Anna"})
    look(tags, "ana@rivermail.test")
    ana.refresh_from_db()
    there = tags.there("ana@rivermail.test")["merge_fields"]["FNAME"]
    assert (ana.first_name, there) == (("Ana", "Ana") if who == "ours" else ("Anna", "Anna"))


@pytest.mark.parametrize(("before", "after"), [("complained", "complained"), ("bounced", "ok")])
def test_L22_L35_an_address_taken_over_from_there_keeps_a_complaint_but_no_bounce(tags, before, after) -> None:
    tags.connection.settings["owners"] = {"address": "theirs"}
    tags.connection.save()
    ana = tags.person("ana@rivermail.test", tags.a_list())
    EmailAddress.objects.create(contact=ana, address="work@rivermail.test", state=before)
    tags.push()
    tags.act("person", "change_address", email="ana@rivermail.test", new_email="work@rivermail.test")
    look(tags, "work@rivermail.test", "ana@rivermail.test")
    assert (ana.primary_email.address, ana.primary_email.state) == ("work@rivermail.test", after)


def test_L25_a_rolled_back_change_is_not_on_record(shared) -> None:
    from django.db import transaction

    one = shared.a_list()
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ana.first_name = "Never"
        ana.save()
        assert shared.record(ana).due_at is not None
        raise ZeroDivisionError
    assert shared.record(ana).due_at is None


def test_L25_bulk_paths_are_on_record_too(tags) -> None:
    one = tags.a_list()
    people = [tags.person(f"p{n}@rivermail.test", one) for n in range(3)]
    tags.push()
    Contact.objects.update(last_name="Bulk")
    assert {tags.record(p).due_at is not None for p in people} == {True}
    tags.push()
    assert {tags.there(f"p{n}@rivermail.test")["merge_fields"]["LNAME"] for n in range(3)} == {"Bulk"}


def test_L26_many_changes_become_one_push_of_the_latest_state(shared) -> None:
    one = shared.a_list()
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    for name in ("A", "B", "C"):
        ana.first_name = name
        ana.save()
    since = len(shared.calls())
    shared.push()
    assert len(shared.writes(since)) == 1
    assert shared.first_name("ana@rivermail.test", one) == "C"


def test_L27_a_refused_contact_is_set_aside_and_the_others_go_on(shared) -> None:
    one = shared.a_list()
    bad = shared.person(shared.refused[0], one)
    good = shared.person("ben@rivermail.test", one)
    shared.push()
    record = shared.record(bad)
    assert (record.state, record.reason_code) == (RemoteRecord.State.SET_ASIDE, shared.refused[1])
    assert record.reason
    assert seen(shared, good, one) == "on"
    assert shared.push() == 0  # and is not tried again by itself
    email = bad.email_addresses.get()
    email.address = "ana@rivermail.test"
    email.save()
    shared.push()
    assert seen(shared, bad, one) == "on"


def test_L27_retry_sends_again(shared) -> None:
    one = shared.a_list()
    bad = shared.person(shared.refused[0], one)
    shared.push()
    outbox.retry(RemoteRecord.objects.filter(subject_uid=bad.uid))
    assert shared.push() > 0
    assert shared.record(bad).state == RemoteRecord.State.SET_ASIDE


def test_L27_the_reason_of_a_refusal_outlives_an_edit_that_mends_nothing(shared) -> None:
    one = shared.a_list()
    bad = shared.person(shared.refused[0], one)
    shared.push()
    reason = shared.record(bad).reason
    bad.notes = "Met at the fair."
    bad.save()
    assert shared.push() == 0
    record = shared.record(bad)
    assert (record.state, record.reason_code) == (RemoteRecord.State.SET_ASIDE, shared.refused[1])
    assert record.reason == reason


def test_L26_L28_a_change_does_not_wait_for_the_delay_of_what_was_sent_before_it(tags, monkeypatch) -> None:
    ana = tags.person("ana@rivermail.test", tags.a_list())
    email, carry_out = ana.email_addresses.get(), Mailchimp.carry_out

    def tomorrow(provider, operations, places):
        if email.address == "anna@rivermail.test":
            yield from carry_out(provider, operations, places)
            return
        email.address = "anna@rivermail.test"
        email.save()
        yield from ((operation, Retry("Tomorrow.", after=86_400.0, alone=True)) for operation in operations)

    monkeypatch.setattr(Mailchimp, "carry_out", tomorrow)
    tags.push()
    assert tags.standing("anna@rivermail.test") == ("subscribed", ["Newsletter"])


def test_L25_whoever_dies_after_making_a_list_leaves_its_members_to_be_put_on_it(tags, monkeypatch) -> None:
    tags.act("holder", "add_member", email="x@rivermail.test", tags=["One"])
    one = tags.a_list("One")
    ana = tags.person("ana@rivermail.test", one)
    tags.push()
    assert tags.record(ana).reason_code == "list_not_there_yet"
    outbox.retry(RemoteRecord.objects.filter(subject_uid=one.uid))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Sitting, "wake_members", Mock(side_effect=KeyboardInterrupt))
        tags.push()
    tags.push()
    assert seen(tags, ana, one) == "on"


def test_L21_an_unsubscribe_under_an_address_changed_there_is_read_even_if_no_message_came(tags) -> None:
    one = tags.a_list()
    ana = tags.person("ana@rivermail.test", one)
    tags.push()
    tags.act("person", "change_address", email="ana@rivermail.test", new_email="anna@rivermail.test")
    tags.act("person", "unsubscribe", email="anna@rivermail.test")
    with provider_for(tags.connection) as provider:
        assert reading.listen(tags.connection, provider) == 1
        assert reading.listen(tags.connection, provider) == 0
    assert tags.place(ana, one).do_not_contact


@pytest.mark.parametrize("how", ["message", "reading", "reading, address changed"])
@pytest.mark.parametrize(("who", "is_word"), [("person", True), ("holder", False)])
def test_L21_L35_who_unsubscribed_and_was_archived_before_we_looked_has_opted_out(tags, who, is_word, how) -> None:
    one = tags.a_list()
    ana = tags.person("ana@rivermail.test", one)
    tags.push()
    email = "anna@rivermail.test" if "changed" in how else "ana@rivermail.test"
    if "changed" in how:
        tags.act("person", "change_address", email="ana@rivermail.test", new_email=email)
    tags.act(who, "unsubscribe", email=email)
    tags.act("holder", "archive", email=email)
    if how == "message":
        look(tags, email)
    reads = []
    for _ in range(2):
        since = len(tags.calls())
        hourly(tags)
        reads.append([c for c in tags.calls()[since:] if "activity" in c["path"]])
    assert (bool(reads[0]), reads[1]) == (how != "message", []), "each is looked at once, not every hour"
    assert tags.place(ana, one).do_not_contact == is_word
    assert ConsentEvent.objects.filter(contact_uid=ana.uid, by=By.PERSON).exists() == is_word
    assert tags.record(ana).reason_code == ("opted_out" if is_word else "removed_there")


def test_removed_there_is_left_alone_until_somebody_presses_retry(shared) -> None:
    one = shared.a_list()
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    shared.act("holder", shared.removes, email="ana@rivermail.test")
    look(shared, "ana@rivermail.test")
    ana.first_name = "Anna"
    ana.save()
    shared.push()
    assert shared.standing("ana@rivermail.test")[0] in ("archived", "removed")
    assert shared.record(ana).reason_code == "removed_there"
    outbox.retry(RemoteRecord.objects.filter(subject_uid=ana.uid))
    shared.push()
    assert seen(shared, ana, one) == "on"


def test_L33_a_tag_that_was_there_before_is_used_only_when_somebody_says_so(tags) -> None:
    outside = tags.there(next(m["email_address"] for m in members(tags) if m["status"] == "subscribed"))
    tags.act("holder", "add_tag", email=outside["email_address"], tag="Newsletter")
    one = tags.a_list("Newsletter")
    ana = tags.person("ana@rivermail.test", one)
    tags.push()
    assert (tags.record(one).state, tags.record(one).reason_code) == (RemoteRecord.State.SET_ASIDE, "name_taken")
    assert tags.standing("ana@rivermail.test") is None
    outbox.retry(RemoteRecord.objects.filter(subject_uid=one.uid))
    tags.push()
    assert seen(tags, ana, one) == "on"
    assert "Newsletter" in tags.standing(outside["email_address"])[1]  # nobody else was touched


def members(world: World) -> list[dict]:
    """Everybody the audience holds."""
    [held] = world.sandbox.state({"account": world.login})["accounts"][world.login]["audiences"]
    return held["members"]


def test_L30_the_history_says_what_was_sent_when_why_and_with_which_answer(shared) -> None:
    from contacts.tenancy.acting import acting

    one = shared.a_list()
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    with acting(By.STAFF, "Almoner"):
        ana.first_name = "Anna"
        ana.save()
    shared.push()
    last = Delivery.objects.filter(subject_uid=ana.uid).first()
    assert (last.verb, last.outcome, last.cause) == ("update", Delivery.Outcome.DONE, "Contact changed by Staff")
    assert (last.before["fields"]["first_name"], last.after["fields"]["first_name"]) == ("Ana", "Anna")


def test_L8_two_contacts_with_one_address_are_one_person_there(shared) -> None:
    one, two = shared.a_list("One"), shared.a_list("Two")
    ana = shared.person("couple@rivermail.test", one, first_name="Ana")
    ben = shared.person("couple@rivermail.test", two, first_name="Ben")
    shared.push()
    assert shared.standing("couple@rivermail.test") == ("subscribed", ["One", "Two"])
    assert shared.first_name("couple@rivermail.test", one) == "Ben"  # changed last
    services.set_do_not_contact(Contact.objects.filter(pk=ben.pk), True)
    shared.push()
    assert shared.standing("couple@rivermail.test") == ("subscribed", ["One"])
    assert shared.first_name("couple@rivermail.test", one) == "Ana"
    ana.delete()
    shared.push()
    assert shared.standing("couple@rivermail.test")[0] in ("archived", "unsubscribed")


def test_L8_two_contacts_changed_at_the_same_moment_agree_on_one_name(shared, settings) -> None:
    settings.SLICE_SECONDS = 3
    one = shared.a_list()
    shared.person("home@rivermail.test", one, first_name="Ana")
    shared.person("home@rivermail.test", one, first_name="Ben")
    Contact.objects.update(updated_at=timezone.now())
    assert shared.push(turns=2) < 20
    assert shared.push() == 0


def test_a_neighbour_notices_nothing(shared, neighbour) -> None:
    from contacts.tenancy.walls import in_tenant

    with in_tenant(neighbour):
        other = shared.another(neighbour, "harbor")
        their_list = other.a_list("Newsletter")
        other.person("ana@rivermail.test", their_list)
        other.push()
        calls = len([c for c in other.calls() if c["account"] == "harbor"])
    one = shared.a_list()
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    services.set_do_not_contact(Contact.objects.filter(pk=ana.pk), True)
    shared.push()
    assert shared.standing("ana@rivermail.test")[0] == "unsubscribed"
    with in_tenant(neighbour):
        assert other.push() == 0
        assert other.standing("ana@rivermail.test")[0] == "subscribed"
    assert len([c for c in shared.calls() if c["account"] == "harbor"]) == calls


@pytest.mark.parametrize("bulk", [True, False], ids=["status_if_new", "without"])
@pytest.mark.parametrize("edit", ["name", "address"])
def test_L24a_L35_who_left_under_an_address_changed_there_is_subscribed_by_no_edit_here(
    tags, settings, bulk, edit
) -> None:
    """No message came; all we know is an address where nobody is any more."""
    settings.MAILCHIMP_BULK_STATUS_IF_NEW = bulk
    one = tags.a_list()
    ana = tags.person("ana@rivermail.test", one)
    tags.push()
    tags.act("person", "change_address", email="ana@rivermail.test", new_email="elsewhere@rivermail.test")
    tags.act("person", "unsubscribe", email="elsewhere@rivermail.test")
    change(ana, edit)
    tags.push()
    assert "subscribed" not in {
        (tags.standing(f"{name}@rivermail.test") or [""])[0] for name in ("ana", "anna", "elsewhere")
    }
    assert tags.place(ana, one).do_not_contact  # and her word is heard


@pytest.mark.parametrize("edit", ["name", "address"])
def test_L16_L22_who_changed_their_address_there_is_found_again_by_the_next_edit(tags, edit) -> None:
    one = tags.a_list()
    ana = tags.person("ana@rivermail.test", one)
    tags.push()
    tags.act("person", "change_address", email="ana@rivermail.test", new_email="elsewhere@rivermail.test")
    change(ana, edit)
    tags.push()
    assert (tags.standing("elsewhere@rivermail.test") or ["absent"])[0] in ("absent", "archived")  # ours wins
    assert seen(tags, ana.primary_email.address, one) == "on"
    assert not RemoteRecord.objects.filter(due_at__isnull=False).exists()


def test_L24a_an_edit_of_somebody_deleted_there_brings_nobody_back(shared) -> None:
    one = shared.a_list()
    ana = shared.person("ana@rivermail.test", one)
    shared.push()
    shared.act("holder", shared.deletes, email="ana@rivermail.test")
    change(ana, "name")
    shared.push()
    assert (shared.standing("ana@rivermail.test") or ["absent"])[0] != "subscribed"
    assert shared.record(ana).reason_code in ("removed_there", "forgotten")


def change(contact: Contact, what: str) -> None:
    """An edit by staff."""
    if what == "name":
        contact.first_name = "Zed"
        contact.save()
    else:
        email = contact.email_addresses.get()
        email.address = "anna@rivermail.test"
        email.save()
