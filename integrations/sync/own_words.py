"""A person's own word that was heard at a vendor: into the ledger (L35), and looked at wherever else they are known.

Called by pull. What somebody said where everybody lives together counts at every vendor, under the address that it was
said with: whoever that concerns becomes due on the other connections, be their places on lists changed or not.
"""

from typing import Any

from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress
from contacts.models.contact import address_key
from integrations.models import Connection, RemoteRecord
from integrations.models.remote import Priority
from integrations.provider_kit.base import Can
from integrations.provider_kit.states import Member
from integrations.sync import outbox, people
from integrations.sync.taking_back import held_by_undo


def say(
    kind: str, connection: Connection, container: str, record: RemoteRecord, contact: Contact | None, member: Member,
    contact_list: ContactList | None = None,
) -> None:  # fmt: skip
    """Write the person's own word into the consent ledger."""
    ConsentEvent.by_actor(
        kind, record.subject_uid, tenant_id=record.tenant_id, contact_name=str(contact or "")[:250],
        address=address_key(member.address), place=f"{people.place_of(connection)} {container}" if container else "",
        list_uid=contact_list.uid if contact_list else None, list_name=contact_list.name if contact_list else "",
        detail=f"Said at {connection}",
    ).save()  # fmt: skip
    if container:
        look_elsewhere(connection, record, member, is_opt_out=kind == ConsentEvent.Kind.OPT_OUT)


def look_elsewhere(connection: Connection, record: RemoteRecord, member: Member, *, is_opt_out: bool) -> None:
    """Have this contact, and whoever else has that address, planned anew on the other connections. What an undo put
    back there is only touched by an opt-out.

    After an opt-in it comes behind the changes that go with it: whoever was opted out there by us has to be back before
    others under that address are sent.
    """
    priority = Priority.OPT_OUT if is_opt_out else Priority.BULK
    here: Any = EmailAddress.objects.filter(address_key=address_key(member.address), is_primary=True).order_by()
    uids = {record.subject_uid, *here.values_list("contact__uid", flat=True)}
    for other in outbox.listening(record.tenant_id, Can.PUSH_CONTACTS):
        if other.pk == connection.pk:
            continue
        held: Any = held_by_undo(other).filter(subject_uid__in=[] if is_opt_out else uids)
        due = uids.difference(held.values_list("subject_uid", flat=True))
        outbox.mark(other, RemoteRecord.Kind.CONTACT, due, f"{connection} reported a change", priority)
