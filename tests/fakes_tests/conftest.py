"""A sandbox on a port, as new for each test, a client for it, and a receiver of webhooks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import ConstantContactSandbox, DonorPerfectSandbox, MailchimpSandbox, running
from tests.fakes.control import reset
from tests.fakes.mailchimp import Options
from tests.fakes_tests import constant_contact, donor_perfect
from tests.fakes_tests.api import CALLBACK, Api
from tests.fakes_tests.receiver import Receiver


@pytest.fixture(scope="session")
def server() -> Iterator[MailchimpSandbox]:
    options = Options(webhook_retries_s=[0.02, 0.02], batch_step_s=0.01)
    with running(MailchimpSandbox(redirect_uris=[CALLBACK], options=options)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: MailchimpSandbox) -> MailchimpSandbox:
    reset(server, {})
    return server


@pytest.fixture
def api(sandbox: MailchimpSandbox) -> Api:
    return Api(sandbox)


@pytest.fixture(scope="session")
def cc_server() -> Iterator[ConstantContactSandbox]:
    with running(ConstantContactSandbox(redirect_uris=[constant_contact.CALLBACK])) as sandbox:
        yield sandbox


@pytest.fixture
def cc_sandbox(cc_server: ConstantContactSandbox) -> ConstantContactSandbox:
    """As new; the four calls a second are for the tests about them only."""
    reset(cc_server, {})
    cc_server.options.per_second = 0
    cc_server.options.activity_step_s = 0.002
    return cc_server


@pytest.fixture
def cc(cc_sandbox: ConstantContactSandbox) -> constant_contact.Api:
    return constant_contact.Api(cc_sandbox)


@pytest.fixture(scope="session")
def dp_server() -> Iterator[DonorPerfectSandbox]:
    with running(DonorPerfectSandbox()) as sandbox:
        yield sandbox


@pytest.fixture
def dp_sandbox(dp_server: DonorPerfectSandbox) -> DonorPerfectSandbox:
    reset(dp_server, {})
    return dp_server


@pytest.fixture
def dp(dp_sandbox: DonorPerfectSandbox) -> donor_perfect.Api:
    return donor_perfect.Api(dp_sandbox)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
