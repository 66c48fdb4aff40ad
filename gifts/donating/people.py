"""A person whom a program names: found by email address and phone number, or added, and written down (O3-O6)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from contacts import program_word, telling
from contacts.duplicates.merge import GONE, merge
from contacts.models import Contact, EmailAddress
from contacts.tenancy.acting import actor
from gifts.donating import fields, locks, matching, network, phones
from gifts.donating.caller import KEYED, Caller
from gifts.donating.refused import DonatingRefused
from gifts.donating.said import NEEDED, SUBSCRIBED, UNSUBSCRIBED, Said, read_person
from gifts.donating.tagging import tag

Given = Mapping[str, Any]
TRIES = 5


def sign_up(given: Given, caller: Caller = KEYED) -> tuple[Contact, bool]:
    """The person signup helper: find or add a person, write down what was sent, then tags. One transaction.

    `given`: {person: {...}, add_tags: [names], remove_tags: [names]}, well formed. `person` has the fields of OSDI:
    given_name, family_name, email_addresses [{address, status}], phone_numbers [{number, status}], postal_addresses
    [{address_lines, locality, region, postal_code, country}], languages_spoken, custom_fields {name: text},
    identifiers. Of several addresses or numbers the one marked primary counts, else the first that has one. Status:
    `subscribed`, and for email and text messages `unsubscribed`; any other is passed over.

    Returns the contact and whether it is new. Raises `DonatingRefused` for somebody without address and number.
    """
    said = read_person(given.get("person"))
    return locks.at_most_a_few_times(lambda: settle(said, given, caller))


def words_for(said: Said) -> list[str]:
    """What nobody else may work on meanwhile."""
    return [word for word in (said.email and f"email:{said.email_key}", said.phone and f"phone:{said.phone}") if word]


def settle(said: Said, given: Given, caller: Caller, language: str = "") -> tuple[Contact, bool]:
    """The same inside a transaction; `language` is that of the page."""
    if not (said.email or said.phone):
        raise DonatingRefused(NEEDED)
    locks.take(words_for(said))
    plan, rows = met(said)
    merged, losing = ([rows[pk] for pk in pks] for pks in (plan.merged, plan.losing))
    is_new = plan.person is None
    contact = rows[plan.person] if plan.person is not None else added(said)
    for other in merged:
        contact = one_of_two(contact, other)
    fields.write(contact, said, caller.is_blind, is_new)
    has_new_mail = bool(said.email) and (is_new or contact.primary_email is None)
    if has_new_mail and not is_new:
        fields.write_email(contact, said)
    if said.phone:
        phones.bring(contact, said.phone, losing, is_new)
    if language and not said.languages and (is_new or not contact.languages.exists()):
        fields.write_languages(contact, [language], is_new)
    say_all(contact, said, caller, is_new, losing, declines=has_new_mail and said.declines_mail)
    tag(contact, given.get("add_tags") or (), given.get("remove_tags") or (), is_new)
    for one in (contact, *losing):
        fields.touch(one, is_new and one is contact)
    contact.refresh_from_db()
    return contact, is_new


def met(said: Said) -> tuple[matching.Plan[int], dict[int, Contact]]:
    """Whom this concerns, locked until the transaction ends: looked up again until nobody has come or gone."""
    rows: dict[int, Contact] = {}
    for _ in range(TRIES):
        plan = matching.plan_for(said)
        wanted = {*plan.merged, *plan.losing, *([] if plan.person is None else [plan.person])}
        if wanted <= rows.keys():
            return plan, rows
        rows |= {row.pk: row for row in locks.lock(wanted | rows.keys())}
    raise locks.Gone


def added(said: Said) -> Contact:
    """Somebody new, with the address that was sent."""
    contact: Contact = Contact.objects.create(**said.names)
    if said.email:
        EmailAddress.objects.create(contact=contact, address=said.email, is_primary=True)
    return contact


def one_of_two(contact: Contact, mobile_only: Contact) -> Contact:
    """Make one of a person and of the record that has only their number; staff can undo it for 30 days."""
    with telling.each_by_itself():
        merge(contact, mobile_only, {"phone": GONE}, by_program=True)
    return Contact.objects.get(pk=contact.pk)


def say_all(
    contact: Contact, said: Said, caller: Caller, is_new: bool, losing: Iterable[Contact] = (), declines: bool = False
) -> None:  # fmt: skip
    """What they said about email (O5) and text messages (O6), here and up the network (O7). `losing`: who had their
    number until now. `declines`: their address is new here, and asked whether mail is welcome they did not say yes."""
    words = f"Sent by {actor().label}"
    has_mail = bool(said.email) and (is_new or contact.email_addresses.exists())
    if declines:
        program_word.unsubscribe(contact, f"Asked whether mail is welcome, they did not say yes. {words}")
    elif is_new and has_mail:
        program_word.note_new(contact, words, caller.joins)
    if said.mail_status == SUBSCRIBED:
        program_word.subscribe(contact, words, caller.joins, not caller.is_blind, said.email_key)
    elif said.mail_status == UNSUBSCRIBED:
        program_word.unsubscribe(contact, words, caller.joins)
    phones.say(contact, said.text_status, said.phone, losing)
    network.tell_above(
        contact,
        network.News(
            said,
            mail=has_mail
            and (said.mail_status == SUBSCRIBED or (is_new and not declines and said.mail_status != UNSUBSCRIBED)),
            texts=bool(said.phone) and said.text_status == SUBSCRIBED,
            is_sure=not caller.is_blind,
        ),
        caller.joins,
    )


def update_person(contact: Contact, given: Given, caller: Caller = KEYED) -> Contact:
    """Write what was sent to a person who is known (PUT): the fields of `person` above. What is not sent stays; null
    takes nothing away but a custom field. An address that somebody else has is passed over, and “subscribed” with it;
    a number moves here. Status without an address or number is about the one that is there. One transaction. Returns
    the contact, which is another one if this one was merged into it."""
    said = read_person(given)
    return locks.at_most_a_few_times(lambda: change(contact, said, given, caller))


def change(contact: Contact, said: Said, given: Given, caller: Caller) -> Contact:
    """The same inside a transaction."""
    locks.take(words_for(said))
    holders = [pk for pk in matching.with_number(said.phone) if pk != contact.pk]
    rows = {row.pk: row for row in locks.lock([contact.pk, *holders])}
    if contact.pk not in rows:
        raise DonatingRefused("This person is not here any more. Nothing was changed.")
    contact = rows.pop(contact.pk)
    has_number = not said.phone or contact.phone_numbers.filter(number=said.phone).exists()
    losing = [] if has_number else [row for row in rows.values() if row.email_addresses.exists()]
    for other in [] if has_number else [row for row in rows.values() if row not in losing]:
        contact = one_of_two(contact, other)
    fields.write(contact, said, caller.is_blind)
    if said.email and not fields.write_email(contact, said) and said.mail_status == SUBSCRIBED:
        said = replace(said, mail_status="")  # it was said of the address that somebody else has
    if said.phone:
        phones.bring(contact, said.phone, losing)
    contact = Contact.objects.get(pk=contact.pk)
    say_all(contact, said_now(contact, said), caller, False, losing)
    tag(contact, given.get("add_tags") or (), given.get("remove_tags") or ())
    for one in (contact, *losing):
        fields.touch(one)
    contact.refresh_from_db()
    return contact


def said_now(contact: Contact, said: Said) -> Said:
    """With the address and number that they have, for a status that came without."""
    mail, phone = contact.primary_email, phones.main(contact)
    return replace(said, email=mail.address if mail else "", phone=said.phone or (str(phone.number) if phone else ""))
