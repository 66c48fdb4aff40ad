"""One message that cannot be read holds up neither the others nor what is to be sent (L21, L28)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from contacts.models import ContactList
from integrations.models import Connection, WebhookEvent
from integrations.provider_kit.errors import Ambiguous, CallFailed, Retry
from integrations.providers.mailchimp import Mailchimp
from integrations.sync import inbox, serve
from tests.integrations.engine import World
from tests.integrations.test_webhooks import message

pytestmark = pytest.mark.usefixtures("in_tenant")
PEOPLE = ["first@rivermail.test", "second@rivermail.test", "third@rivermail.test"]


@pytest.fixture
def world(tenant, sandbox) -> World:
    """Three people have unsubscribed; each was reported."""
    world = World(tenant, sandbox)
    one = world.a_list()
    for email in PEOPLE:
        world.person(email, one)
    world.push()
    for n, email in enumerate(PEOPLE):
        world.act("person", "unsubscribe", email=email)
        body = message(email=email, list_id=world.audience)
        WebhookEvent.objects.create(connection=world.connection, fingerprint=str(n), body=body)
    return world


def unhandled() -> list[tuple[str, int]]:
    """(fingerprint, attempts) of the messages that wait."""
    return list(WebhookEvent.objects.filter(handled_at=None).order_by("pk").values_list("fingerprint", "attempts"))


def time_passes(hours: float = 1) -> None:
    WebhookEvent.objects.update(received_at=F("received_at") - timedelta(hours=hours))


@pytest.fixture
def chokes(monkeypatch) -> dict[str, Exception]:
    """{address: what comes of looking at it}."""
    trouble: dict[str, Exception] = {}
    look = Mailchimp.look

    def looking(provider: Any, container: str, address: str, *args: Any, **kwargs: Any) -> Any:
        if error := trouble.get(address) or trouble.get("*"):
            raise error
        return look(provider, container, address, *args, **kwargs)

    monkeypatch.setattr(Mailchimp, "look", looking)
    return trouble


@pytest.mark.parametrize(
    "error", [CallFailed(Ambiguous("No.")), CallFailed(Retry("No.")), ValueError("Ours.")], ids=str
)
def test_L21_a_message_that_cannot_be_read_holds_up_nobody(world, chokes, error, settings) -> None:
    settings.BACKOFF_BASE_SECONDS = settings.BACKOFF_MAX_SECONDS = 900
    chokes[PEOPLE[0]] = error
    world.person("late@rivermail.test", ContactList.objects.get())
    assert serve.serve(world.connection.pk) is False, "nothing to do at once: it waits"
    assert world.standing("late@rivermail.test")[0] == "subscribed"
    assert unhandled() == [("0", 1)]
    assert Connection.objects.get().retry_at is None
    assert serve.waiting() == []
    time_passes()
    assert serve.waiting() == [world.connection.pk]
    del chokes[PEOPLE[0]]
    serve.serve(world.connection.pk)
    assert unhandled() == []


def test_L21_what_can_never_be_read_is_given_up_and_says_so(world, chokes) -> None:
    chokes[PEOPLE[0]] = CallFailed(Ambiguous("No."))
    for _ in range(inbox.GIVE_UP_AFTER + 1):
        time_passes()
        serve.serve(world.connection.pk)
    assert unhandled() == []
    assert WebhookEvent.objects.get(fingerprint="0").outcome == inbox.GIVEN_UP


@pytest.mark.parametrize(
    ("outcome", "attempts"), [(Ambiguous("Down."), [1, 1, 0]), (Retry("Slow down.", after=60), [0, 0, 0])], ids=str
)
def test_L28_a_vendor_that_is_down_is_left_in_peace_and_every_message_stays(world, chokes, outcome, attempts) -> None:
    chokes["*"] = CallFailed(outcome)
    serve.serve(world.connection.pk)
    assert [tried for _, tried in unhandled()] == attempts
    assert Connection.objects.get().retry_at is not None
