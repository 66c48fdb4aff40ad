"""The sandbox video app: it uses our API as a program of others would, and tells genuine webhooks from others."""

import ipaddress
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from contacts.tenancy import keys
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.services import record_gift
from integrations import hooking
from integrations.models import OutgoingHook
from integrations.sync import hooks
from tasks_app.models import ThankYou, VideoEvent
from tests.factories import ContactFactory
from tests.fakes import VideoAppSandbox, running
from tests.fakes.control import reset
from tests.fakes.video_app.almoner import is_genuine

KEY, SECRET = keys.PREFIX + "k" * 43, "whsec_of_the_sandbox"


@pytest.fixture
def app(live_server: Any, tenant: Tenant, settings: Any) -> Iterator[VideoAppSandbox]:
    settings.OUTGOING_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    made = VideoAppSandbox(almoner_url=live_server.url, keys={"river": KEY}, hook_secrets={"river": SECRET})
    with running(made) as sandbox, in_tenant(tenant):
        keys.issue("Video app", {"video"}, None, secret=KEY)
        hooking.register(f"{sandbox.url}/webhooks/river", ["task.created", "task.changed"], None, secret=SECRET)
        record_gift(ContactFactory(first_name="Ana", last_name="Ruiz"), 100, date(2026, 5, 1))
        yield sandbox


def told(app: VideoAppSandbox) -> list[tuple[str, bool]]:
    """What came by webhook since the last time: its kind, and whether it is genuine."""
    hooks.turn(OutgoingHook.objects.get().pk)
    account = app.account("river")
    found = [(each["type"], each["is_genuine"]) for each in account.messages]
    account.messages.clear()
    return found


@pytest.mark.django_db(transaction=True)
def test_T5_T8_the_whole_circle_from_a_gift_to_the_donors_reply(app: VideoAppSandbox) -> None:
    task = str(ThankYou.objects.get().uid)
    assert told(app) == [("task.created", True)]
    page = requests.get(f"{app.url}/account?account=river", timeout=20).text
    assert "Send Ana Ruiz a thank you video. Ana made a $100.00 donation." in page
    for who, action, state in (("staff", "send", "sent"), ("donor", "watch", "done"), ("donor", "reply", "done")):
        pressed = {"as": who, "action": action, "account": "river", "task": task, "back": "/account?account=river"}
        answer = requests.post(f"{app.url}/act", data=pressed, timeout=20)
        assert f"Done: {action}" in answer.text, answer.text
        assert ThankYou.objects.get().state == state
        assert told(app) == [("task.changed", True)]
    assert [event.kind for event in VideoEvent.objects.order_by("pk")] == ["sent", "watched", "replied"]
    refused = requests.post(
        f"{app.url}/_sandbox/act",
        json={"as": "staff", "action": "dismiss", "account": "river", "task": task},
        timeout=20,
    )
    assert refused.status_code == 400 and "done already" in refused.json()["error"]
    assert app.state({})["accounts"]["river"]["videos"][0]["task"] == task
    assert KEY not in str(app.state({})) and SECRET not in str(app.state({}))


@pytest.mark.django_db(transaction=True)
def test_T8_a_forged_webhook_is_shown_as_such_and_a_fault_is_tried_again(app: VideoAppSandbox) -> None:
    told(app)
    body = {"id": "x", "type": "task.changed", "task": {"id": "y"}}
    forged = requests.post(
        f"{app.url}/webhooks/river", json=body, headers={"Almoner-Signature": "t=1,v1=0"}, timeout=20
    )
    assert forged.status_code == 401
    assert [each["is_genuine"] for each in app.account("river").messages] == [False]
    assert "not genuine" in requests.get(f"{app.url}/account?account=river", timeout=20).text
    reset(app, {})
    assert app.account("river").key == KEY


def test_T8_signatures_are_compared_and_grow_old() -> None:
    now = int(time.time())
    good = hooks.signature(["secret"], b"{}", now)
    assert is_genuine("secret", good, b"{}")
    assert not is_genuine("secret", good, b"{ }") and not is_genuine("other", good, b"{}")
    assert not is_genuine("secret", hooks.signature(["secret"], b"{}", now - 400), b"{}")
    for header in ("", "t=,v1=", "v1=x", "t=x,v1=y", good.replace("v1", "v0")):
        assert not is_genuine("secret", header, b"{}")
    assert not is_genuine("", hooks.signature([""], b"{}", now), b"{}")
