"""A person's own word, heard by staff: they asked to be written to again (L35)."""

import uuid
from collections.abc import Iterable, Set
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from contacts import signals, standing
from contacts.models import ConsentEvent, Contact, EmailAddress
from contacts.tenancy.acting import By, acting

SHORTEST = 10  # letters of what they said and where; less is no account of it
LONGEST = 250


@transaction.atomic
def note_opt_in(contact: Contact, said: str, membership_pks: Set[int], user: Any) -> None:
    """Note that this contact asked for mail again, and on which of their lists; what they took back is given back.

    `said` tells how: when, where and with which words. Without it there is no word of the person, and nothing changes.
    """
    if len(said) < SHORTEST:
        raise ValidationError(
            f"Nothing was changed. Say how {contact} asked for it: when, where and in which words, such as “By phone "
            "on March 3: please send me the newsletter again”."
        )
    if len(said) > LONGEST:
        raise ValidationError(f"Nothing was changed. Say it in at most {LONGEST} letters.")
    memberships = list(contact.memberships.select_related("contact_list", "contact"))
    wanted = [m for m in memberships if m.pk in membership_pks]
    if memberships and not wanted:
        raise ValidationError("Nothing was changed. Choose at least one list that they asked for.")
    given, is_broad = given_back(contact, wanted)
    with acting(By.PERSON, f"Noted by {user}"[:100]):
        for one in memberships if is_broad else ():
            if one not in wanted and not one.do_not_contact:  # what they did not ask for stays off
                one.do_not_contact = True
                one.save()
        write(contact, said, given, {str(m.contact_list.uid): m.contact_list for m in wanted}, user)
        if contact.do_not_contact:
            contact.do_not_contact = False
            contact.save()
        # Whoever reported spam and now asks for mail takes that back.
        contact.email_addresses.filter(is_primary=True, state=EmailAddress.State.COMPLAINED).update(
            state=EmailAddress.State.OK
        )
        for one in wanted:
            if one.do_not_contact:
                one.do_not_contact = False
                one.save()
    cause = f"Asked to be written to again, noted by {user}"[:200]
    signals.contacts_changed.send(
        Contact, tenant_id=contact.tenant_id, uids=[contact.uid], cause=cause, is_opt_out=False
    )


def address_of(contact: Contact) -> str:
    """The address that the word is about."""
    primary = contact.primary_email
    return primary.address_key if primary else ""


def given_back(contact: Contact, wanted: Iterable[Any]) -> tuple[list[str], bool]:
    """(what they had withdrawn and now give back, whether that reaches beyond the lists they asked for)."""
    by_uid, by_address = standing.load([contact.uid], [address_of(contact)])
    words = standing.strictest(*by_uid.values(), *by_address.values())
    asked_for = {f"list:{m.contact_list.uid}" for m in wanted}
    withdrawn = [scope for scope, state in words.items() if state != standing.FREE]
    given = [scope for scope in withdrawn if scope in asked_for or not scope.startswith("list:")]
    return given, contact.do_not_contact or any(not scope.startswith("list:") for scope in given)


def write(contact: Contact, said: str, scopes: Iterable[str], lists: dict[str, Any], user: Any) -> None:
    """An entry for each of these scopes; at least one, with the person's words.

    Where a scope is wider than what they asked for, the entry still names the lists that they asked for: the ledger
    says no more than they did, and the other lists have been marked by now.
    """
    asked_for = ", ".join(one.name for one in lists.values())[:200]
    for scope in list(scopes) or [standing.EVERYWHERE]:
        uid = scope.removeprefix("list:") if scope.startswith("list:") else ""
        event = ConsentEvent.by_actor(
            ConsentEvent.Kind.OPT_IN, contact.uid, tenant_id=contact.tenant_id, contact_name=str(contact)[:250],
            address=address_of(contact), detail=said, list_uid=uuid.UUID(uid) if uid else None,
            list_name=lists[uid].name if uid else asked_for,
            place=scope.removeprefix("place:") if scope.startswith("place:") else "",
        )  # fmt: skip
        event.user = user
        event.save()
