"""Subscriptions travel up a network (O7): to the organization above, and to the one above that. Nothing travels down,
and no other data of somebody whom the organization above knows is changed there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from contacts import mail_status, program_word, telling
from contacts.models import Contact, ContactList, EmailAddress, PhoneNumber, Tenant
from contacts.models.recorded import Recorded
from contacts.tenancy.acting import acting, actor
from contacts.tenancy.walls import current_tenant, in_tenant
from gifts.donating import locks, matching, phones
from gifts.donating.said import SUBSCRIBED, Said

MOST = 20  # levels


@dataclass(frozen=True, slots=True)
class News:
    """What travels: an address if they came to the email list by this call, a number if they agreed to text messages
    in it."""

    said: Said
    mail: bool
    texts: bool
    is_sure: bool  # whether a key stands for it


def above(tenant: Tenant) -> Iterator[Tenant]:
    """The organizations above this one, the nearest first; each once, whatever the rows say."""
    seen = {tenant.pk}
    while tenant.parent_id and tenant.parent_id not in seen and len(seen) <= MOST:
        found = Tenant.objects.filter(pk=tenant.parent_id).first()
        if found is None:
            return
        tenant = found
        seen.add(tenant.pk)
        yield tenant


def would_circle(tenant: Tenant, parent: Tenant) -> bool:
    """Whether the network would go round in a circle with this one above it."""
    return parent.pk == tenant.pk or any(one.pk == tenant.pk for one in above(parent))


def tell_above(contact: Contact, news: News, of: ContactList | None = None) -> None:
    """In the transaction of the call, and after all of it was done here: of a subscription that came to nothing here,
    nothing is told. `of`: the list that it is about, if one."""
    here = current_tenant()
    if here is None or here.parent_id is None or not (news.mail or news.texts):
        return
    news = what_holds(contact, news, of)
    below: Tenant = Tenant.objects.get(pk=here.pk)
    texts = news.texts
    for tenant in above(below):
        texts = texts and below.mobile_goes_up
        words = f"{here.name}, in your network"[:100]
        with in_tenant(tenant), acting(actor().by, words), telling.as_one(Recorded):
            arrive(news, texts)
        below = tenant


def what_holds(contact: Contact, news: News, of: ContactList | None) -> News:
    """Without what was not done here: Do Not Contact, a complaint, a bounce or an opt-out stood against it."""
    now = Contact.objects.get(pk=contact.pk)
    numbers = now.phone_numbers.filter(number=news.said.phone, takes_texts=True)
    return replace(
        news,
        mail=news.mail and mail_status.mail_statuses([now], of).get(now.pk) == mail_status.SUBSCRIBED,
        texts=news.texts and not now.do_not_contact and numbers.exists(),
    )


def arrive(news: News, texts: bool) -> None:
    """Found or added; who is new is subscribed, who is known only if they said so."""
    said = news.said
    email, number = (said.email if news.mail else ""), (said.phone if texts else "")
    if not (email or number):
        return
    locks.take([word for word in (email and f"email:{said.email_key}", number and f"phone:{number}") if word])
    person = subscriber(news) if email else None
    if number:
        agree(person, said, number, news.is_sure)


def subscriber(news: News) -> Contact:
    """Whoever has the address there, or somebody new. What anybody may have typed lifts no opt-out there: it was never
    given to the organization whose form that was."""
    known = matching.with_address(news.said)
    person = locks.lock_one(known[0]) if known else added(news.said, news.said.email)
    words = f"Subscribed through {actor().source}"
    if not known:
        program_word.note_new(person, words)
    if news.said.mail_status == SUBSCRIBED and (news.is_sure or not program_word.has_withdrawn(person)):
        program_word.subscribe(person, words, is_sure=news.is_sure, typed=news.said.email_key)
    return person


def added(said: Said, email: str) -> Contact:
    """Somebody new to them."""
    contact: Contact = Contact.objects.create(**said.names)
    if email:
        EmailAddress.objects.create(contact=contact, address=email, is_primary=True)
    contact.refresh_from_db()
    return contact


def agree(person: Contact | None, said: Said, number: str, is_sure: bool) -> None:
    """Text messages at this number: to whoever has it there, or beside the numbers of the subscriber. Not by a form,
    where they have said no."""
    holders = matching.with_number(number)
    if holders and (person is None or person.pk not in holders):
        person = locks.lock_one(holders[0])
    if not is_sure and phones.has_said_no(number, person):
        return
    if not holders:
        person = person or added(said, "")
        is_main = not person.phone_numbers.exists()
        PhoneNumber.objects.create(contact=person, number=number, label=phones.MOBILE, is_primary=is_main)
    if person is not None:
        phones.say(person, SUBSCRIBED, number)
