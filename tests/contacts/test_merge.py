"""Merging two contacts: nothing is lost, the strictest consent wins (L35), and undoing it is exact."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import standing
from contacts.duplicates import identities
from contacts.duplicates.merge import MergeRefused, forget_old_merges, merge
from contacts.duplicates.rows import DERIVED, relations, unique_sets
from contacts.duplicates.unmerge import WORD_STAYS, consent_apart, plan, undo, why_not
from contacts.models import (
    ConsentEvent,
    Contact,
    ContactList,
    ContactTag,
    CustomField,
    CustomValue,
    DuplicatePair,
    EmailAddress,
    HistoryEntry,
    Household,
    ListMembership,
    Merge,
    MergedIdentity,
    OutsideIdentifier,
    PhoneNumber,
    PostalAddress,
    Tag,
)  # fmt: skip
from contacts.models.kept_marks import ADDRESS_LEFT
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant as inside
from tests.factories import ContactFactory, UserFactory
from tests.tenancy import fingerprint

pytestmark = pytest.mark.usefixtures("in_tenant")


def person(first: str = "Ana", last: str = "Ruiz", email: str = "", **values: Any) -> Contact:
    contact = Contact.objects.create(first_name=first, last_name=last, **values)
    if email:
        EmailAddress.objects.create(contact=contact, address=email, is_primary=True)
    return contact


def now(contact: Contact) -> Contact:
    return Contact.objects.get(pk=contact.pk)


def mail(contact: Contact) -> str:
    return str(contact.primary_email)


# --- what hangs on the contact ---


def test_everything_that_hangs_on_the_contact_that_goes_is_with_the_one_that_is_kept() -> None:
    kept, gone = person(email="ana@river.test"), person("Anna", email="anna@river.test")
    news, tag = ContactList.objects.create(name="News"), Tag.objects.create(name="donor")
    size = CustomField.objects.create(name="Size")
    ListMembership.objects.create(contact=gone, contact_list=news, position="Chair")
    ContactTag.objects.create(contact=gone, tag=tag)
    PhoneNumber.objects.create(contact=gone, number="+14155550100", is_primary=True)
    PostalAddress.objects.create(contact=gone, street="1 Mill Lane", postal_code="97201", is_primary=True)
    OutsideIdentifier.objects.create(contact=gone, system="Old", value="7")
    CustomValue.objects.create(contact=gone, field=size, value="M")

    merge(kept, gone)

    assert not Contact.objects.filter(pk=gone.pk).exists()
    assert [(e.address, e.is_primary) for e in kept.email_addresses.all()] == [
        ("ana@river.test", True), ("anna@river.test", False),
    ]  # fmt: skip
    assert kept.memberships.get().position == "Chair"
    assert kept.contact_tags.get().tag == tag
    assert kept.phone_numbers.get().is_primary, "the only number is the primary one"
    assert kept.postal_addresses.get().is_primary
    assert kept.outside_identifiers.get().value == "7"
    assert kept.custom_values.get().value == "M"


def test_what_both_have_becomes_one_row_with_what_each_says() -> None:
    kept, gone = person(email="ana@river.test"), person(email="ANA@river.test")
    gone.email_addresses.update(state=EmailAddress.State.BOUNCED)
    news, tag = ContactList.objects.create(name="News"), Tag.objects.create(name="donor")
    early = timezone.now() - timedelta(days=900)
    ListMembership.objects.create(contact=kept, contact_list=news, position="Chair")
    ListMembership.objects.create(contact=gone, contact_list=news, position="Treasurer", do_not_contact=True,
                                  joined_at=early)  # fmt: skip
    for contact in (kept, gone):
        ContactTag.objects.create(contact=contact, tag=tag)
        PhoneNumber.objects.create(contact=contact, number="+14155550100", label="home" if contact == gone else "")
        PostalAddress.objects.create(contact=contact, street="1 Mill Ln." if contact == gone else "1 Mill Lane",
                                     postal_code="97201")  # fmt: skip

    merge(kept, gone)

    assert kept.email_addresses.get().state == EmailAddress.State.BOUNCED, "the worse state of an address counts"
    place = kept.memberships.get()
    assert (place.position, place.do_not_contact, place.joined_at) == ("Chair, Treasurer", True, early)
    assert kept.contact_tags.count() == kept.phone_numbers.count() == kept.postal_addresses.count() == 1
    assert kept.phone_numbers.get().label == "home"


def test_the_chosen_values_stand_and_both_ids_and_notes_are_kept() -> None:
    size = CustomField.objects.create(name="Size")
    kept = person("A.", email="old@river.test", custom_user_id="K1", notes="Likes birds.")
    gone = person("Ana", email="new@river.test", custom_user_id="G1", notes="Met in May.", job_title="Baker")
    CustomValue.objects.create(contact=kept, field=size, value="S")
    CustomValue.objects.create(contact=gone, field=size, value="M")

    merge(kept, gone, {"first_name": "gone", "email": "gone", f"custom_{size.pk}": "gone"})

    kept = now(kept)
    assert (kept.first_name, kept.job_title, kept.custom_user_id) == ("Ana", "Baker", "K1")
    assert kept.notes == "Likes birds.\n\nMet in May."
    assert kept.outside_identifiers.get().value == "G1"
    assert mail(kept) == "new@river.test"
    assert kept.custom_values.get().value == "M"


def test_an_id_that_somebody_else_has_already_stands_in_the_notes() -> None:
    other, kept, gone = person("Ben"), person(custom_user_id="K1"), person(custom_user_id="G1")
    OutsideIdentifier.objects.create(contact=other, system="former ID", value="G1")
    merge(kept, gone)
    assert "Former id: G1" in now(kept).notes


def test_every_kind_of_row_that_hangs_on_a_contact_is_understood() -> None:
    """A model added tomorrow is moved by itself, unless one of its rules needs a word in `rows.combine`."""
    labels = {relation.label for relation in relations()}
    assert {"contacts.listmembership", "contacts.customvalue", "contacts.emailaddress"} <= labels
    for relation in relations():
        unique_sets(relation)
        rules: Any = relation.model._meta.constraints
        for rule in rules:
            about = isinstance(rule, models.UniqueConstraint) and relation.link in rule.fields and rule.condition
            assert not about or rule.condition == models.Q(is_primary=True), f"{relation.label}: {rule.name}"
            assert not getattr(rule, "expressions", ()) or relation.link not in str(rule.expressions)
    hidden = [f for f in Contact._meta.get_fields(include_hidden=True) if f.auto_created and not f.concrete]
    derived = {*DERIVED, *(f.related_model for f in hidden if getattr(f.related_model, "is_derived", False))}
    assert {f.related_model for f in hidden} == {r.model for r in relations()} | derived


# --- consent ---


def test_L35_do_not_contact_of_either_wins_and_the_ledger_is_only_added_to() -> None:
    for one, other in ((True, False), (False, True)):
        kept, gone = person(do_not_contact=one), person(do_not_contact=other)
        before = list(ConsentEvent.objects.order_by("pk").values())
        merge(kept, gone)
        assert now(kept).do_not_contact
        assert list(ConsentEvent.objects.order_by("pk").values())[: len(before)] == before


def said(contact: Contact, kind: str, place: str = "", by: str = By.PERSON) -> None:
    with acting(by, "Mailchimp"):
        ConsentEvent.by_actor(kind, contact.uid, contact_name=str(contact), place=place).save()


def stands(contact: Contact) -> dict[str, str]:
    return standing.load([contact.uid], [])[0].get(str(contact.uid), {})


def test_L35_an_opt_out_of_the_contact_that_went_holds_through_a_chain_of_merges() -> None:
    one, two, three = person("A"), person("B"), person("C")
    said(one, "opt_out")
    merge(two, one)
    merge(three, two)
    assert stands(three) == {"*": "out"}
    assert set(identities.uids_of(three)) == {one.uid, two.uid, three.uid}
    assert identities.now_of([one.uid, two.uid]) == {one.uid: three.uid, two.uid: three.uid}
    said(three, "opt_in")
    assert stands(three) == {"*": "free"}, "the person's own later word counts"


def test_L35_an_older_opt_in_of_one_does_not_lift_the_opt_out_of_the_other() -> None:
    kept, gone = person("A"), person("B")
    said(kept, "opt_out", "mailchimp audience:x")
    said(gone, "opt_in", "mailchimp audience:x")
    merge(kept, gone)
    assert stands(kept) == {"place:mailchimp audience:x": "out"}


def test_L35_what_was_said_between_two_merges_counts_in_its_order() -> None:
    one, two, three = person("A"), person("B"), person("C")
    said(one, "opt_out")
    merge(two, one)
    said(two, "opt_in")
    merge(three, two)
    assert stands(three) == {"*": "free"}
    said(one, "opt_out")  # a late message about the first
    assert stands(three) == {"*": "out"}


def test_L35_the_standing_costs_two_queries_whatever_was_merged(django_assert_num_queries) -> None:
    kept = person()
    for letter in "BCDE":
        merge(kept, person(letter))
    with django_assert_num_queries(2):
        standing.load([kept.uid], ["ana@river.test"])


# --- history and identity ---


def test_both_histories_tell_of_the_merge_and_no_history_is_changed() -> None:
    kept, gone = person(), person("Anna")
    before = HistoryEntry.objects.count()
    user = UserFactory()
    merge(kept, gone, user=user)
    entries = HistoryEntry.objects.filter(what="merge")
    assert {e.contact_uid for e in entries} == {kept.uid, gone.uid}
    assert {e.actor_label for e in entries} == {str(user)}
    assert HistoryEntry.objects.filter(contact_uid=gone.uid, verb="deleted", what="contact").exists()
    assert HistoryEntry.objects.count() > before


def test_whoever_was_said_to_be_somebody_else_stays_somebody_else() -> None:
    other, kept, gone = person("Ben"), person(), person("Anna")
    DuplicatePair.objects.create(first=other, second=gone, reasons=[["email", "x@river.test"]], score=45,
                                 dismissed_at=timezone.now())  # fmt: skip
    made = merge(kept, gone)
    assert DuplicatePair.objects.get().dismissed_at is not None
    undo(made)
    assert DuplicatePair.objects.filter(first=other).count() == 0


def test_a_household_keeps_its_own_greeting_when_the_name_in_it_is_still_there() -> None:
    home = Household.objects.create(name="Ruiz", greeting="Dear Ana and Ben")
    kept, gone = person("Ana", household=home), person("Ana", household=home)
    person("Ben", household=home)
    made = merge(kept, gone)
    home.refresh_from_db()
    assert home.greeting == "Dear Ana and Ben"
    undo(made)
    home.refresh_from_db()
    assert home.greeting == "Dear Ana and Ben"


# --- refusals ---


def test_a_contact_is_not_merged_with_itself_and_not_with_one_that_is_gone() -> None:
    kept, gone = person(), person("Anna")
    with pytest.raises(MergeRefused, match="same contact"):
        merge(kept, kept)
    merge(kept, gone)
    with pytest.raises(MergeRefused, match="merged or deleted a moment ago"):
        merge(kept, gone)
    with pytest.raises(MergeRefused, match="merged or deleted a moment ago"):
        merge(gone, kept)
    assert Merge.objects.count() == 1


def test_a_contact_of_a_neighbour_is_not_there_to_be_merged(neighbour) -> None:
    theirs = ContactFactory(tenant=neighbour)
    before = fingerprint.of_tenant(neighbour)
    with pytest.raises(MergeRefused):
        merge(person(), theirs)
    assert fingerprint.of_tenant(neighbour) == before


def test_a_merge_costs_a_bounded_number_of_queries() -> None:
    def cost(rows: int) -> int:
        kept, gone = person(), person("Anna")
        for contact in (kept, gone):
            for number in range(rows):
                name = f"{rows}-{number}" + ("" if number % 2 else f"-{contact.pk}")
                news = ContactList.objects.get_or_create(name=name)[0]
                ListMembership.objects.create(contact=contact, contact_list=news)
                EmailAddress.objects.create(contact=contact, address=f"{name}@river.test", is_primary=not number)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            made = merge(kept, gone)
        with CaptureQueriesContext(connection) as back:
            undo(made)
        return len(asked) + len(back)

    assert cost(40) <= cost(4) + 2
    assert cost(4) < 400


# --- undo ---


def snapshot() -> dict[str, Any]:
    """Every row but ledgers, and what is made from others."""
    from tests.tenancy.rows import owned_models

    passed = (HistoryEntry, ConsentEvent, Merge, MergedIdentity, *DERIVED)
    found = {}
    for model in owned_models():
        if model not in passed and model._meta.app_label == "contacts":
            names = [f.attname for f in model._meta.concrete_fields if f.name != "updated_at"]
            found[model.__name__] = list(model._base_manager.order_by("pk").values_list(*names))
    return found


def two_with_everything() -> tuple[Contact, Contact]:
    home = Household.objects.create(name="Ruiz")
    kept = person("A.", email="ana@river.test", custom_user_id="K1", notes="One.")
    gone = person("Ana", email="both@river.test", custom_user_id="G1", notes="Two.", household=home,
                  do_not_contact=True)  # fmt: skip
    EmailAddress.objects.create(contact=kept, address="Both@river.test", state="bounced")
    EmailAddress.objects.create(contact=gone, address="more@river.test")
    for number, name in enumerate(["News", "Board", "Gala"]):
        one = ContactList.objects.create(name=name)
        if number != 1:
            ListMembership.objects.create(contact=kept, contact_list=one, position="Chair" if number else "")
        if number != 2:
            ListMembership.objects.create(contact=gone, contact_list=one, do_not_contact=True)
    for contact in (kept, gone):
        PhoneNumber.objects.create(contact=contact, number="+14155550100", is_primary=True, label=contact.first_name)
        ContactTag.objects.create(contact=contact, tag=Tag.objects.get_or_create(name="donor")[0])
        field = CustomField.objects.get_or_create(name="Size")[0]
        CustomValue.objects.create(contact=contact, field=field, value=contact.first_name)
    PostalAddress.objects.create(contact=gone, street="1 Mill Lane", postal_code="97201", is_primary=True)
    return kept, gone


@pytest.mark.parametrize("side", ["kept", "gone"])
def test_undo_restores_every_row_with_its_number(side) -> None:
    kept, gone = two_with_everything()
    before = snapshot()
    field = CustomField.objects.get()
    choices = dict.fromkeys(["first_name", "email", "phone", "postal", "custom_user_id", f"custom_{field.pk}"], side)
    made = merge(kept, gone, choices)
    assert snapshot() != before
    back = undo(made)
    assert (back.pk, back.uid) == (gone.pk, gone.uid)
    assert snapshot() == before
    assert not MergedIdentity.objects.exists()
    assert stands(now(kept)) == {}
    made.refresh_from_db()
    assert made.taken == {}
    pair = DuplicatePair.objects.get()
    assert pair.dismissed_at is not None, "they were said to be two, and are not suggested again"


def test_undo_leaves_what_was_changed_since_and_says_so() -> None:
    kept, gone = two_with_everything()
    made = merge(kept, gone, {"first_name": "gone"})
    kept = now(kept)
    kept.first_name = "Ana Maria"
    kept.save()
    kept.email_addresses.get(address="more@river.test").delete()
    kept.memberships.get(contact_list__name="News").delete()
    EmailAddress.objects.create(contact=kept, address="new@river.test")
    told = " ".join(plan(made).stays)
    back = undo(made)
    assert now(kept).first_name == "Ana Maria"
    assert "First name was changed since" in told
    assert "1 email address taken away since the merge will not come back" in told
    assert "1 place on a list taken away since" in told
    assert {e.address for e in back.email_addresses.all()} == {"both@river.test"}
    assert {e.address for e in kept.email_addresses.all()} == {"ana@river.test", "Both@river.test", "new@river.test"}
    assert {m.contact_list.name for m in back.memberships.all()} == {"Board"}, "whoever was taken off stays off"


def test_undo_gives_each_a_primary_address_whatever_was_chosen_since() -> None:
    kept, gone = person(email="a@river.test"), person("Anna", email="b@river.test")
    EmailAddress.objects.create(contact=gone, address="a@river.test")
    EmailAddress.objects.create(contact=gone, address="c@river.test")
    made = merge(kept, gone)
    kept.email_addresses.update(is_primary=False)
    kept.email_addresses.filter(address="c@river.test").update(is_primary=True)
    back = undo(made)
    assert mail(now(kept)) == "a@river.test"
    assert mail(back) == "b@river.test"


def test_L35_do_not_contact_that_was_set_since_the_merge_stays_on_both() -> None:
    kept, gone = person(), person("Anna")
    news = ContactList.objects.create(name="News")
    for contact in (kept, gone):
        ListMembership.objects.create(contact=contact, contact_list=news)
    made = merge(kept, gone)
    with acting(By.PERSON, "Mailchimp"):
        ListMembership.objects.update(do_not_contact=True)
        Contact.objects.filter(pk=kept.pk).update(do_not_contact=True)
    assert len([s for s in plan(made).stays if "stays, on both" in s]) == 2
    back = undo(made)
    assert back.do_not_contact
    assert now(kept).do_not_contact
    assert ListMembership.objects.filter(do_not_contact=True).count() == 2


def test_L35_do_not_contact_that_came_with_the_merge_goes_back_to_the_one_who_had_it() -> None:
    kept, gone = person(), person("Anna", do_not_contact=True)
    said(kept, "opt_out", "mailchimp audience:x")
    made = merge(kept, gone)
    back = undo(made)
    assert (now(kept).do_not_contact, back.do_not_contact) == (False, True)
    assert stands(now(kept)) == {"place:mailchimp audience:x": "out"}, "taking back a merge asks nobody who opted out"


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("gone", [True, False])
@pytest.mark.parametrize("current", [True, False])
@pytest.mark.parametrize("since", [True, False])
def test_L35_undoing_never_loses_do_not_contact(kept, gone, current, since) -> None:
    mine, theirs = consent_apart(kept, gone, current, since)
    assert theirs or not gone
    assert not (current and since) or (mine and theirs)
    assert not (current and kept) or mine
    if not since and current == (kept or gone):
        assert (mine, theirs) == (kept, gone)


def test_an_opt_out_after_the_merge_stays_with_whoever_has_the_address() -> None:
    kept, gone = person(email="a@river.test"), person("Anna", email="b@river.test")
    made = merge(kept, gone, {"email": "gone"})
    with acting(By.PERSON, "Mailchimp"):
        ConsentEvent.by_actor("opt_out", kept.uid, address="b@river.test", contact_name="Ana").save()
    back = undo(made)
    by_uid, by_address = standing.load([kept.uid, back.uid], ["a@river.test", "b@river.test"])
    assert by_uid[str(kept.uid)] == by_address["b@river.test"] == {"*": "out"}


@pytest.mark.parametrize("spoken_as", ["kept", "gone"])
@pytest.mark.parametrize("scope", ["place:mailchimp audience:x", "list", "*"])
def test_L35_an_opt_out_since_the_merge_holds_for_both_whatever_their_addresses_become(scope, spoken_as) -> None:
    kept, gone = person(email="a@river.test"), person("Anna", email="b@river.test")
    news = ContactList.objects.create(name="News")
    said(gone, "opt_in", "mailchimp audience:x")
    made = merge(kept, gone)
    scope = f"list:{news.uid}" if scope == "list" else scope
    with acting(By.PERSON, "Mailchimp"):
        ConsentEvent.by_actor(
            "opt_out", made.kept_uid if spoken_as == "kept" else made.gone_uid, address="a@river.test",
            contact_name="Ana", list_uid=news.uid if "list" in scope else None,
            place="mailchimp audience:x" if "place" in scope else "",
        ).save()  # fmt: skip
    assert plan(made).stays == [WORD_STAYS]
    back = undo(made)
    for contact in (kept, back):
        contact.email_addresses.update(address=f"{contact.pk}@new.test", address_key=f"{contact.pk}@new.test")
        assert stands(contact)[scope] == "out"
        said_by_them = ConsentEvent.objects.filter(contact_uid=contact.uid, kind="opt_out").exclude(source=ADDRESS_LEFT)
        assert len(said_by_them) == 1, "not twice"


def test_L35_what_was_taken_back_since_the_merge_is_not_repeated() -> None:
    kept, gone = person(email="a@river.test"), person("Anna", email="b@river.test")
    made = merge(kept, gone)
    said(kept, "opt_out", "mailchimp audience:x")
    said(kept, "opt_in", "mailchimp audience:x")
    assert plan(made).stays == []
    assert stands(undo(made)) == {}


def test_merges_are_undone_in_the_reverse_order() -> None:
    one, two, three = person("A"), person("B"), person("C")
    before = snapshot()
    first = merge(two, one)
    second = merge(three, two)
    with pytest.raises(MergeRefused, match="B Ruiz was merged into C Ruiz later. Undo that merge first"):
        undo(first)
    undo(second)
    assert set(identities.uids_of(now(two))) == {one.uid, two.uid}
    undo(first)
    assert snapshot() == before
    with pytest.raises(MergeRefused, match="undone already"):
        undo(first)


def test_after_thirty_days_what_undoing_needs_is_erased() -> None:
    made = merge(person(), person("Anna"))
    assert forget_old_merges() == 0
    Merge.objects.update(at=timezone.now() - timedelta(days=30, minutes=1))
    made.refresh_from_db()
    assert "30 days" in why_not(made)
    assert forget_old_merges() == 1
    made.refresh_from_db()
    assert made.taken == {}
    assert "30 days" in why_not(made)
    assert MergedIdentity.objects.exists(), "words in the ledger hold for ever"


def test_a_merge_into_somebody_who_was_deleted_since_cannot_be_undone() -> None:
    kept = person()
    made = merge(kept, person("Anna"))
    now(kept).delete()
    with pytest.raises(MergeRefused, match="deleted since"):
        undo(made)


def test_the_neighbour_notices_nothing(neighbour) -> None:
    with inside(neighbour):
        two_with_everything()
    before = fingerprint.of_tenant(neighbour)
    undo(merge(*two_with_everything()))
    merge(*[Contact.objects.order_by("pk")[n] for n in (0, 1)])
    assert fingerprint.of_tenant(neighbour) == before
