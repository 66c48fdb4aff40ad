"""Whoever reports our mail as spam has said their own word, however the vendor shows them afterwards (L35)."""

from typing import Any

import pytest

from contacts.models import ConsentEvent, EmailAddress
from contacts.tenancy.acting import By
from contacts.tenancy.walls import in_tenant
from integrations.models import WebhookEvent
from integrations.sync import serve
from tests.factories import EmailAddressFactory
from tests.integrations.engine import World
from tests.integrations.test_list_sync import look
from tests.integrations.test_webhooks import message

pytestmark = pytest.mark.usefixtures("in_tenant")
ANA = "ana@rivermail.test"


@pytest.mark.parametrize(("shown_as", "reason"), [("cleaned", "abuse"), ("unsubscribed", "abuse"), ("cleaned", "hard")])
def test_L22_L35_a_complaint_is_the_persons_own_word_and_a_bounce_is_not(
    tenant: Any, neighbour: Any, sandbox: Any, shown_as: str, reason: str
) -> None:
    world = World(tenant, sandbox)
    ana = world.person(ANA, world.a_list())
    world.push()
    with in_tenant(neighbour):
        theirs = EmailAddressFactory(contact__tenant=neighbour, tenant=neighbour, address=ANA)
    if reason == "abuse":
        world.act("person", "complain", email=ANA, shown_as=shown_as)
    else:
        world.act("holder", "clean", email=ANA)
    kind = "cleaned" if shown_as == "cleaned" else "unsubscribe"
    body = message(kind, email=ANA, list_id=world.audience, reason=reason)
    for n in range(2):  # vendors repeat themselves
        WebhookEvent.objects.create(connection=world.connection, fingerprint=str(n), body=body)
        serve.serve(world.connection.pk)
    assert not WebhookEvent.objects.filter(handled_at=None).exists()

    state = EmailAddress.objects.get(contact=ana).state
    words = ConsentEvent.objects.filter(contact_uid=ana.uid, by=By.PERSON, kind=ConsentEvent.Kind.OPT_OUT)
    said = [word.detail for word in words if "spam" in word.detail]
    if reason == "abuse":
        assert (state, len(said)) == (EmailAddress.State.COMPLAINED, 1)
    else:
        assert (state, len(said)) == (EmailAddress.State.BOUNCED, 0)
    with in_tenant(neighbour):
        theirs.refresh_from_db()
        assert theirs.state == EmailAddress.State.OK
        assert not ConsentEvent.objects.filter(by=By.PERSON).exists()


@pytest.mark.parametrize("shown_as", ["cleaned", "unsubscribed"])
def test_L35_whoever_complained_and_subscribes_there_themselves_has_taken_it_back(
    tenant: Any, neighbour: Any, sandbox: Any, shown_as: str
) -> None:
    """They, and whoever shares the mailbox; nobody else who complained."""
    world = World(tenant, sandbox)
    one = world.a_list()
    ana, other = world.person(ANA, one), world.person("other@rivermail.test", one)
    world.push()
    with in_tenant(neighbour):
        theirs = EmailAddressFactory(contact__tenant=neighbour, tenant=neighbour, address=ANA, state="complained")
    for who in (ana, other):
        email = str(who.primary_email)
        world.act("person", "complain", email=email, shown_as=shown_as)
        kind = "cleaned" if shown_as == "cleaned" else "unsubscribe"
        body = message(kind, email=email, list_id=world.audience, reason="abuse")
        WebhookEvent.objects.create(connection=world.connection, fingerprint=email, body=body)
    serve.serve(world.connection.pk)
    shares = world.person(ANA, one, first_name="Ben")
    world.push()
    assert set(EmailAddress.objects.values_list("state", flat=True)) == {"complained"}
    assert world.seen(ana, one) != "on"

    world.act("person", "resubscribe", email=ANA)
    look(world, ANA)
    states = dict(EmailAddress.objects.values_list("contact__uid", "state"))
    assert states == {ana.uid: "ok", shares.uid: "ok", other.uid: "complained"}
    assert world.seen(ana, one) == "on" and world.seen(other, one) != "on"
    with in_tenant(neighbour):
        theirs.refresh_from_db()
        assert theirs.state == EmailAddress.State.COMPLAINED
