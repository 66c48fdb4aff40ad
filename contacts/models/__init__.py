"""The rows of the contacts app, one noun a file."""

from contacts.models.bulk_change import BulkChange
from contacts.models.consent import ConsentEvent
from contacts.models.contact import Contact, EmailAddress, OutsideIdentifier, PhoneNumber, PostalAddress
from contacts.models.contact_list import ContactList, ListMembership
from contacts.models.custom_field import CustomField, CustomValue
from contacts.models.data_import import Import, ImportKey, ImportPiece, ImportRow
from contacts.models.duplicate import DuplicatePair, DuplicateSearch, Merge, MergedIdentity, PlaceKey
from contacts.models.export import Export
from contacts.models.figure import DailyCount
from contacts.models.history import HistoryEntry
from contacts.models.household import Household
from contacts.models.language import SpokenLanguage
from contacts.models.mobile import MobileEvent
from contacts.models.saved_filter import SavedFilter
from contacts.models.search_text import SearchText
from contacts.models.tag import ContactTag, Tag
from contacts.tenancy.keys import ApiAnswer, ApiToken
from contacts.tenancy.models import Invitation, Role, StaffMember, Tally, Tenant, TenantOwned, User

__all__ = [
    "ApiAnswer", "ApiToken",
    "BulkChange", "ConsentEvent", "Contact", "ContactList", "ContactTag", "CustomField", "CustomValue", "DailyCount",
    "DuplicatePair", "DuplicateSearch", "EmailAddress", "Export", "HistoryEntry", "Household", "Import", "ImportKey",
    "ImportPiece", "ImportRow", "Invitation", "ListMembership", "Merge", "MergedIdentity", "MobileEvent",
    "OutsideIdentifier",
    "PhoneNumber", "PlaceKey", "PostalAddress", "Role", "SavedFilter", "SearchText", "SpokenLanguage",
    "StaffMember", "Tag", "Tally",
    "Tenant", "TenantOwned", "User",
]  # fmt: skip
