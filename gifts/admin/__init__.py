"""The staff's pages for gifts, pledges and milestones, and what they add to contacts' pages and to the first page."""

from contacts.models import Contact
from contacts.tenancy.cards import add_card, add_need, add_panel
from gifts.admin import card, donor, gift, milestone_card, panel, pledge, reached, rule, streaks

add_card(Contact, card.card, order=10)
add_card(Contact, milestone_card.card, order=12)
add_panel(panel.panel, order=25)
add_need(streaks.needs, order=40)

__all__ = ["card", "donor", "gift", "panel", "pledge", "reached", "rule"]
