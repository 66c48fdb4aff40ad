"""An address or name was changed there: taken over here, put right again, or left, as the tenant chose (L22).

Called by whatever hears of people there (pull, and the Check), within its transaction; owners decides.
"""

from datetime import datetime
from typing import Any

from contacts import households
from contacts.models import Contact, EmailAddress, HistoryEntry
from contacts.models.contact import address_key
from integrations.models import Connection
from integrations.provider_kit.states import Member, Owner, same_value
from integrations.sync import people, slices
from integrations.sync.owners import ADDRESS, Decision, decide, owner_of
from integrations.words import FIELDS

SAID = {
    Decision.TAKE_OVER: "changed there and taken over here.",
    Decision.PUT_BACK: "changed there; ours is put back.",
    Decision.OURS_IS_NEWER: "changed there and, later, here; ours is put back.",
    Decision.NOBODY_KNOWS: "changed there and here, and nobody can tell which is newer; ours is put back.",
    Decision.APART: "changed there; each side keeps its own.",
}
LONGEST = 100  # of a name here


def corrected(
    connection: Connection, contact: Contact | None, before: Member | None, member: Member, sent: Member | None = None
) -> str:
    """Act on what differs there from what we knew (`before`), or had sent without a clear answer (`sent`).

    Returns sentences for the history. What stays as it is here, and should be there, the plan puts back.
    """
    if contact is None:
        return ""
    if sent is not None:
        member = member.but(changed_at=None)  # that may have been by us
    said = [_address(connection, contact, before, member, sent), *_names(connection, contact, before, member, sent)]
    return " ".join(filter(None, said))


def _address(
    connection: Connection, contact: Contact, before: Member | None, member: Member, sent: Member | None
) -> str:  # fmt: skip
    if before is None or address_key(before.address) == address_key(member.address):
        return ""
    owner, primary = owner_of(connection.settings, ADDRESS), contact.primary_email
    decision = decide(
        owner, address_key(before.address), primary.address_key if primary else "", address_key(member.address),
        sent=address_key(sent.address) if sent else None,
        ours_at=changed_here(contact, "address", "is_primary") if owner == Owner.NEWEST else None,
        theirs_at=member.changed_at,
    )  # fmt: skip
    if decision == Decision.TAKE_OVER:
        take_address(contact, member.address)
    return _said("Address", decision)


def _names(
    connection: Connection, contact: Contact, before: Member | None, member: Member, sent: Member | None
) -> list[str]:  # fmt: skip
    """Field by field. The name of an address that several share is nobody's own, and an organization has no first name:
    what is there then is put right again."""
    policy = slices.policy_of(connection)
    known = before.fields if before else {}
    changed = [
        name for name in policy.fields
        if name in member.fields and not same_value(known.get(name, ""), member.fields[name])
    ]  # fmt: skip
    if not changed:
        return []
    is_own = contact.kind == Contact.Kind.PERSON and not households.sharing(contact).exists()
    ours = people.sent(policy, people.named(contact.kind, contact.first_name, contact.last_name,
                                            contact.organization_name))  # fmt: skip
    said: list[str] = []
    taken: dict[str, str] = {}
    for name in changed:
        owner = policy.owners.get(name, Owner.OURS) if is_own else Owner.OURS
        if before is None and owner == Owner.OURS:
            continue  # met for the first time: ours is sent
        decision = decide(
            owner, known.get(name, ""), ours.get(name, "") if is_own else known.get(name, ""), member.fields[name],
            sent=sent.fields.get(name) if sent else None,
            ours_at=changed_here(contact, name) if owner == Owner.NEWEST else None, theirs_at=member.changed_at,
        )  # fmt: skip
        if decision == Decision.TAKE_OVER:
            taken[name] = " ".join(member.fields[name].split())[:LONGEST]
        said.append(_said(FIELDS.get(name, name), decision))
    if taken:
        for name, value in taken.items():
            setattr(contact, name, value)
        contact.save()
    return said


def _said(label: str, decision: Decision) -> str:
    return f"{label} {SAID[decision]}" if decision in SAID else ""


def changed_here(contact: Contact, *fields: str) -> datetime | None:
    """When one of these was last changed here."""
    rows: Any = HistoryEntry.objects.filter(contact_uid=contact.uid, changes__has_any_keys=list(fields))
    return rows.order_by("-at", "-pk").values_list("at", flat=True).first()  # type: ignore[no-any-return]


def take_address(contact: Contact, address: str) -> None:
    """Make this the contact's primary address, keeping the old one as a further one."""
    contact.email_addresses.filter(is_primary=True).update(is_primary=False)
    existing = contact.email_addresses.filter(address_key=address_key(address)).first()
    row = existing or EmailAddress(contact=contact, address=address)
    row.is_primary = True
    if row.state != EmailAddress.State.COMPLAINED:  # that somebody reported spam from there is their own word
        row.state = EmailAddress.State.OK
    row.save()
