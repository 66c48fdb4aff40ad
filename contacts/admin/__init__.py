"""The staff's pages for contacts and lists, one noun a file."""

from contacts.admin import (
    bulk_changes,
    consent,
    contact,
    contact_list,
    custom_fields,
    duplicates,
    exports,
    history,
    household,
    imports,
    merging,
    panels,
    tag,
)  # fmt: skip
from contacts.models import Contact
from contacts.tenancy.cards import add_badge, add_card, add_need, add_panel, add_step

add_panel(panels.steps_panel, order=0)
add_panel(panels.needs_panel, order=5)
add_panel(panels.contacts_panel, order=20)
add_panel(panels.charts_panel, order=30)
add_need(panels.needs, order=20)
add_step(panels.steps, order=10)
add_card(Contact, duplicates.card, order=5)
add_badge("admin:contacts_duplicatepair_changelist", duplicates.badge)

__all__ = [
    "bulk_changes", "consent", "contact", "contact_list", "custom_fields", "duplicates", "exports", "history",
    "household", "imports", "merging", "panels", "tag",
]  # fmt: skip
