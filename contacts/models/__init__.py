"""The rows of the contacts app, one noun a file."""

from contacts.models.consent import ConsentEvent
from contacts.models.contact import Contact, EmailAddress, OutsideIdentifier, PhoneNumber, PostalAddress
from contacts.models.contact_list import ContactList, ListMembership
from contacts.models.history import HistoryEntry
from contacts.models.tag import ContactTag, Tag
from contacts.tenancy.models import Role, StaffMember, Tenant, TenantOwned, User

__all__ = [
    "ConsentEvent",
    "Contact",
    "ContactList",
    "ContactTag",
    "EmailAddress",
    "HistoryEntry",
    "ListMembership",
    "OutsideIdentifier",
    "PhoneNumber",
    "PostalAddress",
    "Role",
    "StaffMember",
    "Tag",
    "Tenant",
    "TenantOwned",
    "User",
]
