"""A sandbox DonorPerfect: the XML call with its SQL and procedures, carried out on an embedded database."""

from tests.fakes.donor_perfect.app import DonorPerfectSandbox
from tests.fakes.donor_perfect.options import Options

__all__ = ["DonorPerfectSandbox", "Options"]
