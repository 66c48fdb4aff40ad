"""Connections to the sandbox of the vendor that is measured, for as many organizations as are wanted."""

import base64
import hashlib
import json
import os
import re
import secrets
import urllib.request
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from bench.parts import control
from contacts.tenancy.models import User
from integrations.models import Connection, Credential
from integrations.provider_kit.base import Account, Can
from integrations.providers import all_providers

BACK = "http://127.0.0.1/integrations/callback/"


def connect(user: User, login: str = "river") -> Connection:
    """The active organization's connection, waiting for its first Sync."""
    vendor = os.environ["BENCH_VENDOR"]
    account = {"mailchimp": by_key, "donor_perfect": by_entered_key}.get(vendor, partial(by_walking, vendor, login))()
    state = Connection.State.READY if Can.PUSH_LISTS in all_providers()[vendor].can else Connection.State.ACTIVE
    connection = Connection.objects.create(
        provider=vendor, state=state, settings=dict(account.settings), account_id=account.account_id
    )
    Credential.store(connection, account.secret, user)
    return connection


def by_key() -> Account:
    """Mailchimp's account River Trust."""
    data_centre, audience, token = mailchimp_account()
    settings = {"mode": "tags", "audience": audience, "audience_name": "River Friends", "dc": data_centre}
    return Account("", "River Trust", {"token": token, "dc": data_centre}, settings)


def by_entered_key() -> Account:
    """DonorPerfect's account River Trust, by the key that the vendor would mail."""
    asked = f"{os.environ['BENCH_SANDBOX']}/_sandbox/state?account=river&members=0"
    with urllib.request.urlopen(asked, timeout=30) as answer:
        key = json.load(answer)["accounts"]["river"]["api_key"]
    return all_providers()["donor_perfect"].account_from_key(key, {"client_id": "4711RT"})


def mailchimp_account() -> tuple[str, str, str]:
    """Its data centre, its audience and a key that opens it (tests/fakes/mailchimp/seed.py)."""
    sandbox, data_centre = os.environ["BENCH_SANDBOX"], "us21"
    token = f"{hashlib.md5(b'river sandbox key', usedforsecurity=False).hexdigest()}-{data_centre}"
    request = urllib.request.Request(
        f"{sandbox}/{data_centre}/3.0/lists?fields=lists.id", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return data_centre, json.load(answer)["lists"][0]["id"], token


def by_walking(vendor: str, login: str) -> Account:
    """As people connect: sign in there, press Allow, and come back with a code."""
    control(os.environ["BENCH_SANDBOX"], "redirects", {"uri": BACK})
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    provider = all_providers()[vendor]
    address, _, query = provider.authorize_url("bench", BACK, challenge).partition("?")
    asked: dict[str, Any] = {key: values[0] for key, values in parse_qs(query).items()}
    page = requests.post(address, {**asked, "login": login, "password": "sandbox"}, timeout=30)
    found = re.search(r'name="ticket"[^>]*value="([^"]+)"', page.text)
    if found is None:
        raise RuntimeError(f"The sandbox of {vendor} did not let {login} in.")
    allow = address.replace("/authorize", "/allow")
    answer = requests.post(allow, {"ticket": found[1], "decision": "allow"}, allow_redirects=False, timeout=30)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    return provider.account_from_code(code, BACK, verifier)
