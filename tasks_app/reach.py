"""Whether somebody may be written to by email, and where, as it is in this moment: notes ask before each is sent, and
the video app is shown no address that it must not write to."""

from collections.abc import Collection

from contacts import standing
from contacts.models import Contact, EmailAddress
from contacts.sharing import refused_by_another, refusing

Reach = tuple[str, str]  # (address, why nothing may be sent to it or "")


def why_not(contact: Contact) -> Reach:
    """Of one contact."""
    return reach([contact])[contact.pk]


def reach(contacts: Collection[Contact]) -> dict[int, Reach]:
    """{contact: where, and why not}; as many queries for 200 as for one."""
    emails = {
        row.contact_id: row
        for row in EmailAddress.objects.filter(contact__in=[row.pk for row in contacts], is_primary=True)
    }
    keys = {row.address_key for row in emails.values()}
    by_uid, by_address = standing.load([row.uid for row in contacts], keys)
    others = refusing(keys)  # such as a spouse

    def of(contact: Contact) -> Reach:
        email = emails.get(contact.pk)
        if contact.do_not_contact:
            return "", f"{contact} is under Do Not Contact."
        if email is None:
            return "", f"{contact} has no email address."
        if email.state != EmailAddress.State.OK:
            return email.address, f"{email.address} cannot be used: {email.get_state_display().lower()}."
        said = standing.strictest(by_uid.get(str(contact.uid)), by_address.get(email.address_key))
        if any(state != standing.FREE for scope, state in said.items() if not scope.startswith("list:")):
            return email.address, f"{contact} has asked not to be written to."
        if why := refused_by_another(contact, email.address_key, others):
            return email.address, f"{email.address} also belongs to somebody who {why}."
        return email.address, ""

    return {contact.pk: of(contact) for contact in contacts}
