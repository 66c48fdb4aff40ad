"""The staff's pages for thank-yous and notes, and what they add to contacts' pages, the menu and the first page."""

from contacts.models import Contact
from contacts.tenancy.cards import add_badge, add_card, add_need
from contacts.tenancy.models import Tenant
from tasks_app.admin import card, note, settings_card, template, thank_you, waiting

add_card(Contact, card.card, order=8)
add_card(Tenant, settings_card.card, order=50)
add_badge("admin:tasks_app_thankyou_changelist", waiting.badge)
add_need(waiting.needs, order=10)

__all__ = ["card", "note", "settings_card", "template", "thank_you", "waiting"]
