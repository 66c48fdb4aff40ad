"""The staff's pages for contacts and lists, one noun a file."""

from contacts.admin import consent, contact, contact_list, custom_fields, exports, history, household, panels, tag
from contacts.tenancy.cards import add_need, add_panel, add_step

add_panel(panels.steps_panel, order=0)
add_panel(panels.needs_panel, order=5)
add_panel(panels.contacts_panel, order=20)
add_panel(panels.charts_panel, order=30)
add_need(panels.needs, order=20)
add_step(panels.steps, order=10)

__all__ = ["consent", "contact", "contact_list", "custom_fields", "exports", "history", "household", "panels", "tag"]
