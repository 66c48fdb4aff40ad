"""A sandbox Mailchimp: the Marketing API 3.0, OAuth and webhooks, as far as a contact sync meets them."""

from tests.fakes.mailchimp.app import MailchimpSandbox
from tests.fakes.mailchimp.options import Options

__all__ = ["MailchimpSandbox", "Options"]
