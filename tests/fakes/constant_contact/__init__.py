"""A sandbox Constant Contact: the V3 API and OAuth, as far as a contact sync meets them."""

from tests.fakes.constant_contact.app import ConstantContactSandbox
from tests.fakes.constant_contact.options import Options

__all__ = ["ConstantContactSandbox", "Options"]
