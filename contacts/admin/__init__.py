"""The staff's pages for contacts and lists, one noun a file."""

from contacts.admin import consent, contact, contact_list, custom_fields, exports, history, household, panels, tag
from contacts.tenancy.cards import add_panel

add_panel(panels.contacts_panel, order=60)

__all__ = ["consent", "contact", "contact_list", "custom_fields", "exports", "history", "household", "panels", "tag"]
