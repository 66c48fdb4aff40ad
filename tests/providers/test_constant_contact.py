"""Constant Contact keeps the contract of every provider, and its own rules; the vendor is the sandbox, by HTTP."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from contacts.tenancy.models import Tenant
from integrations.provider_kit.base import Provider
from integrations.provider_kit.errors import Ambiguous, CallFailed, Done, Reconnect, Refused, Retry
from integrations.provider_kit.states import ListOperation, Member, Operation, Standing, Verb
from integrations.providers.constant_contact import ConstantContact, account, activities, bulk, members
from tests.providers.contract import ProviderContract
from tests.providers.stand import ANA, CHALLENGE, GALA, NEWS, VERIFIER, Stand, is_on

pytestmark = pytest.mark.django_db
ACCOUNT = {"organization": "River Trust", "email": "office@rivertrust.test", "address": "1 Mill Lane, Portland"}
OURS = {"address": "ours", "profile": "ours"}
OFF = {"standing": Standing.UNSUBSCRIBED, "lists": frozenset()}
DISABLED = {"standing": Standing.ARCHIVED, "lists": frozenset()}


class ConstantContactStand(Stand):
    """The sandbox account “river”."""

    key = "constant_contact"
    refused_address = f"{'a' * 64}@{'b' * 30}.test"  # longer than the vendor takes

    def __init__(self, tenant: Tenant, sandbox: Any) -> None:
        secret = account.tokens(sandbox.grant())
        super().__init__(tenant, sandbox, {"account": ACCOUNT, "fields": "names", "who_wins": OURS}, secret)

    def held(self, address: str = ANA) -> Any:
        """The contact as the sandbox holds it."""
        return self.sandbox.contact(address)

    def there(self, address: str) -> Member | None:
        held = self.held(address)
        if held is None:
            return None
        uids = {remote_id: uid for (uid, _), remote_id in self.places.items()}
        lists = frozenset(uids[each] for each in held.lists if each in uids)
        standing = Standing.SUBSCRIBED if lists else Standing.ARCHIVED
        if held.permission == "unsubscribed":
            standing = Standing.UNSUBSCRIBED
        elif held.deleted_at:
            standing = Standing.REMOVED
        elif held.permission == "pending_confirmation":
            standing = Standing.PENDING
        fields = {name: held.core.get(name, "") for name in ("first_name", "last_name")}
        return Member(held.address, standing, fields, lists, held.contact_id)

    def act(self, who: str, action: str, email: str = ANA, **more: Any) -> None:
        self.sandbox.act({"as": who, "action": action, "account": "river", "email": email, **more})

    def leaves(self, address: str) -> None:
        self.act("person", "unsubscribe", address)

    def revoke(self) -> None:
        self.act("holder", "revoke")
        self.act("holder", "expire_tokens")

    def consent(self, provider: type[Provider], redirect_uri: str) -> str:
        return consent(self.sandbox, provider.authorize_url("a state", redirect_uri, CHALLENGE), redirect_uri)

    def calls(self) -> list[str]:
        return [f"{call['method']} {call['path']}" for call in self.sandbox.calls.since()]


def consent(sandbox: Any, address: str, redirect_uri: str) -> str:
    """Sign in at the sandbox and press Allow; the code that comes back."""
    sandbox.register_redirect(redirect_uri)
    form = {key: value[0] for key, value in parse_qs(urlsplit(address).query).items()}
    login = address.partition("?")[0]
    page = requests.post(login, data=form | {"login": "river", "password": "sandbox"}, timeout=5)
    ticket = re.search(r'name="?ticket"? value="([^"]+)"', page.text)
    assert ticket, page.text
    back = requests.post(
        login.replace("/authorize", "/allow"), data={"ticket": ticket[1], "decision": "allow"}, allow_redirects=False,
        timeout=5,
    )  # fmt: skip
    answer = parse_qs(urlsplit(back.headers["Location"]).query)
    assert answer["state"] == [form["state"]]
    return answer["code"][0]


@pytest.fixture
def stand(in_tenant: Tenant, constant_contact: Any, quick_activities: None) -> Any:
    made = ConstantContactStand(in_tenant, constant_contact)
    made.make_list()
    yield made
    made.provider.close()


class TestContract(ProviderContract):
    """The contract."""
