"""The rows of this app, by noun."""

from gifts.models.background import BackgroundCall
from gifts.models.club import DonorClub, DonorClubSpell
from gifts.models.donor import DeletedDonor, Donor
from gifts.models.fundraising import Donation, DonationIdentifier, FundraisingPage, PageIdentifier, Period
from gifts.models.gift import Gift
from gifts.models.giving import Giving
from gifts.models.milestone import MilestoneReached, MilestoneRule, Reassessment, RuleRun, WouldMatch
from gifts.models.pledge import Pledge
from gifts.models.source import Source
from gifts.models.totals_run import TotalsRun

__all__ = [
    "BackgroundCall", "Donation", "DonationIdentifier", "FundraisingPage", "PageIdentifier", "Period",
    "DeletedDonor", "Donor", "DonorClub", "DonorClubSpell", "Gift", "Giving", "MilestoneReached", "MilestoneRule",
    "Pledge", "Reassessment", "RuleRun", "Source", "TotalsRun", "WouldMatch",
]  # fmt: skip
