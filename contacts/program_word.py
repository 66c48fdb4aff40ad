"""A person's own word about email, brought by a program of others: what a form or a key's call says they asked for.

It stands in the consent ledger as their own word (L35), with where it came from. A bounce, a complaint about spam and
what staff have set stay, whatever a program says. What came without a key, anybody may have typed.
"""

from typing import Any

from contacts import mail_status, sharing, standing, telling
from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress, ListMembership
from contacts.models.kept_marks import last_words
from contacts.models.kept_words import about
from contacts.tenancy.acting import By, acting, actor


def subscribe(
    contact: Contact, said: str, of: ContactList | None = None, is_sure: bool = True, typed: str = ""
) -> None:  # fmt: skip
    """They asked for mail: of this list, or in general. What they had withdrawn of it is given back, once; other lists
    stay as they are, and so does Do Not Contact that staff have set: staff lift it. `is_sure` is whether a key stands
    for it; if none does, it is heard of the address that was `typed` (its key) only, if mail goes there. Somebody
    without an email address is left alone."""
    contact = Contact.objects.get(pk=contact.pk)
    mail = contact.primary_email
    if mail is None or mail.state == EmailAddress.State.COMPLAINED:
        return
    if (not is_sure and mail.address_key != typed) or is_set_by_staff(contact, of):
        return
    was_on = of is None or contact.memberships.filter(contact_list=of).exists()
    membership = join(contact, of) if of else None
    places = list(contact.memberships.select_related("contact_list", "contact"))
    words = words_of(contact, mail)
    is_refused = sharing.refused_by_another(contact, mail.address_key, sharing.refusing([mail.address_key]))
    if was_on and not is_refused and mail_status.gets_mail(contact, words, places, of) and has_asked(contact):
        return
    wanted = [membership] if membership else wanted_of(words, places, contact)
    if places:
        wanted = [one for one in wanted if not is_marked_by_staff(one)]
        if not wanted:
            return
    uids = {str(one.contact_list.uid) for one in wanted}
    given = [
        scope for scope, state in words.items()
        if state != standing.FREE and (mail_status.is_broad(scope) or any(uid in scope for uid in uids))
    ]  # fmt: skip
    is_reopened = contact.do_not_contact or any(mail_status.is_broad(scope) for scope in given)
    with acting(By.PERSON, actor().source):
        if membership and is_reopened:
            for one in places:
                if one.pk != membership.pk and not one.do_not_contact:  # what they did not ask for stays off
                    one.do_not_contact = True
                    one.save()
        write(ConsentEvent.Kind.OPT_IN, contact, mail, given or [scope_of(of)], said, wanted)
        if contact.do_not_contact:
            contact.do_not_contact = False
            contact.save()
        for one in wanted:
            if one.do_not_contact:
                one.do_not_contact = False
                one.save()
    tell(contact, "Asked for mail", is_opt_out=False)


def wanted_of(words: standing.Standing, places: list[Any], contact: Contact) -> list[Any]:
    """Without a list: those that are open to them anyway; where none is, all that they are on."""
    return [one for one in places if mail_status.is_open(one, words)] or places


def unsubscribe(contact: Contact, said: str, of: ContactList | None = None) -> None:
    """They want no mail any more: of this list, or none at all; also at an address that may come later."""
    contact = Contact.objects.get(pk=contact.pk)
    mail = contact.primary_email
    places = list(contact.memberships.select_related("contact_list"))
    gets_mail = mail_status.gets_mail(contact, words_of(contact, mail), places, of)
    if not gets_mail and (of or mail is None or not sharing.was_brought_back(contact, mail.address_key)):
        return
    with acting(By.PERSON, actor().source):
        write(ConsentEvent.Kind.OPT_OUT, contact, mail, [scope_of(of)], said, [p for p in places if of])
    tell(contact, "Unsubscribed", is_opt_out=True)


def note_new(contact: Contact, said: str, of: ContactList | None = None) -> None:
    """Somebody new is on the list that their program's key names. That is nobody's word: what was said under this
    address before goes on counting."""
    if (mail := contact.primary_email) is None:
        return
    if of:
        join(contact, of)
    write(ConsentEvent.Kind.OPT_IN, contact, mail, [scope_of(of)], said, list(contact.memberships.all()) if of else [])


def words_of(contact: Contact, mail: EmailAddress | None) -> dict[str, str]:
    """What they have said, and what was said under their address. Two queries."""
    by_uid, by_address = standing.load([contact.uid], [mail.address_key] if mail else [])
    return standing.strictest(*by_uid.values(), *by_address.values())


def has_withdrawn(contact: Contact) -> bool:
    """Whether they said themselves that they want no mail, or none of some list, and have not taken that back; or
    somebody who shares their address did."""
    if (mail := contact.primary_email) is None:
        return False
    if any(state != standing.FREE for state in words_of(contact, mail).values()):
        return True
    return bool(sharing.refused_by_another(contact, mail.address_key, sharing.refusing([mail.address_key])))


def has_asked(contact: Contact) -> bool:
    """Whether they ever asked for mail themselves."""
    return bool(
        ConsentEvent.objects.filter(contact_uid=contact.uid, kind=ConsentEvent.Kind.OPT_IN, by=By.PERSON).exists()
    )


def is_set_by_staff(contact: Contact, of: ContactList | None) -> bool:
    """Whether Do Not Contact stands here that is not the person's own word."""
    is_on_list = bool(of) and contact.memberships.filter(contact_list=of, do_not_contact=True).exists()
    if not contact.do_not_contact and not is_on_list:
        return False
    words = last_words([contact.uid])
    scopes = [None] * contact.do_not_contact + ([of.uid] if of and is_on_list else [])
    return any(words.get((contact.uid, scope), ("", ""))[1] != By.PERSON for scope in scopes)


def is_marked_by_staff(place: Any) -> bool:
    """Whether Do Not Contact stands on this list that is not the person's own word."""
    if not place.do_not_contact:
        return False
    uid = place.contact.uid
    return bool(last_words([uid]).get((uid, place.contact_list.uid), ("", ""))[1] != By.PERSON)


def join(contact: Contact, of: ContactList) -> Any:
    """Their place on this list."""
    found = contact.memberships.filter(contact_list=of).select_related("contact_list", "contact").first()
    return found or ListMembership.objects.create(contact=contact, contact_list=of)


def scope_of(of: ContactList | None) -> str:
    """As contacts/standing.py names it."""
    return f"list:{of.uid}" if of else standing.EVERYWHERE


def write(
    kind: str, contact: Contact, mail: EmailAddress | None, scopes: list[str], said: str, wanted: list[Any]
) -> None:  # fmt: skip
    """An entry of the ledger for each of these scopes."""
    names = {str(one.contact_list.uid): one.contact_list.name for one in wanted}
    for scope in scopes:
        where: dict[str, Any] = about(scope, names)
        where.setdefault("list_name", "" if scope == standing.EVERYWHERE else ", ".join(names.values())[:200])
        ConsentEvent.by_actor(
            kind, contact.uid, tenant_id=contact.tenant_id, contact_name=str(contact)[:250], 
            address=mail.address_key if mail else "", detail=said[:250], **where,
        ).save()  # fmt: skip


def tell(contact: Contact, what: str, is_opt_out: bool) -> None:
    """Whoever keeps services in step looks at them again."""
    telling.changed(Contact, contact.tenant_id, [contact.uid], f"{what} by {actor().label}"[:200], is_opt_out)
