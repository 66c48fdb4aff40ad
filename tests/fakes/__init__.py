"""Sandbox vendors: real HTTP servers that keep their members here and e-mail nobody.

The demo starts them with ``python -m tests.fakes``; a test starts one with
``with running(MailchimpSandbox()) as sandbox`` and talks to ``sandbox.url``.
"""

from tests.fakes.constant_contact import ConstantContactSandbox
from tests.fakes.donor_perfect import DonorPerfectSandbox
from tests.fakes.mailchimp import MailchimpSandbox
from tests.fakes.server import running
from tests.fakes.video_app import VideoAppSandbox

__all__ = ["ConstantContactSandbox", "DonorPerfectSandbox", "MailchimpSandbox", "VideoAppSandbox", "running"]
