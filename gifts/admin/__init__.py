"""The staff's pages for gifts and pledges, and what they add to the pages of contacts and to the first page."""

from contacts.models import Contact
from contacts.tenancy.cards import add_card, add_panel
from gifts.admin import card, gift, panel, pledge

add_card(Contact, card.card, order=10)
add_panel(panel.panel, order=25)

__all__ = ["card", "gift", "panel", "pledge"]
