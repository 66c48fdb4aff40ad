"""Constant Contact: everybody lives in one account, each synchronized list is a list there. The vendor's rules are told
where they bind.

provider.py is the whole at a glance; below it, by noun: api (one call), answers (what an answer means), members (how a
person looks there), people (which operation goes which way), single (one by one), bulk and activities (many at a time),
reading (who is there), lists, account (connecting) and form (the settings page).
"""

from integrations.providers.constant_contact.provider import ConstantContact

__all__ = ["ConstantContact"]
