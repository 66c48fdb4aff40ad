"""The staff's pages for gifts, pledges and milestones, and what they add to contacts' pages and to the first page."""

from contacts.models import Contact
from contacts.tenancy.cards import add_card, add_need, add_panel
from contacts.tenancy.models import Tenant
from gifts.admin import (
    calls,
    card,
    club,
    donation_card,
    donor,
    donor_page,
    fundraising,
    gift,
    milestone_card,
    network_card,
    panel,
    pledge,
    reached,
    rule,
    streaks,
    texts_card,
)
from gifts.models import Gift

add_card(Contact, card.card, order=10)
add_card(Contact, milestone_card.card, order=12)
add_card(Contact, texts_card.card, order=60)
add_card(Gift, donation_card.card, order=10)
add_card(Tenant, network_card.card, order=60)
add_panel(panel.panel, order=25)
add_need(calls.needs, order=30)
add_need(streaks.needs, order=40)

__all__ = ["calls", "card", "club", "donor", "donor_page", "fundraising", "gift", "panel", "pledge", "reached", "rule"]
