"""DonorPerfect: gifts are read from it, and interactions are written into it.

From the outside in: provider (what it can do, its switches, the key and the letter that asks for it), client (the
questions we ask, as typed rows), meaning (what a row says to us: pure), api (one call and its outcome), answers and
damaged (what came back), wire (how values, SQL and the key are written), interactions (what is written there).
"""

from integrations.providers.donor_perfect.provider import DonorPerfectProvider

__all__ = ["DonorPerfectProvider"]
