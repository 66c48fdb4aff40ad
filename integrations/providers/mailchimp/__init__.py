"""Mailchimp: lists are tags of one audience, or audiences of their own. The vendor's rules are told where they bind.

provider.py is the whole at a glance; below it, by noun: api (one call), answers (what an answer means), people, lists,
webhooks, account (connecting) and form (the settings page).
"""

from integrations.providers.mailchimp.provider import Mailchimp

__all__ = ["Mailchimp"]
