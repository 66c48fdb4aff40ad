"""L19: a merge flows out. One active member remains, nobody is unsubscribed, and who opted out stays out (L35)."""

from collections.abc import Iterator
from typing import Any

import pytest

from contacts.duplicates.merge import merge
from contacts.duplicates.unmerge import undo
from contacts.models import EmailAddress
from integrations.models import Delivery, RemoteRecord
from integrations.sync.serve import serve
from tests.integrations.engine import World
from tests.model.watch import Watch, watching

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.fixture(params=["tags", "audiences"])
def world(request, tenant, sandbox) -> World:
    return World(tenant, sandbox, request.param)


@pytest.fixture
def watch(world) -> Iterator[Watch]:
    """Every change of anybody's standing there, with who made it."""
    with watching(world.sandbox) as seen:
        yield seen


def home(world: World, one: Any) -> str:
    """The audience that members of this list live in."""
    if world.connection.settings["mode"] == "tags":
        return world.audience
    return world.record(one).known["ids"][f"list:{one.uid}"]


def status(world: World, email: str, one: Any) -> str:
    standing = world.standing(email, home(world, one))
    return standing[0] if standing else "absent"


def by_us(watch: Watch) -> list[tuple[str, str]]:
    """(address, what they became) of each change that we made since."""
    made = [(step.address, step.after) for step in watch.steps if step.by == "api" and step.before != step.after]
    watch.steps.clear()
    return sorted(set(made))


def test_L19_the_other_address_is_archived_and_nobody_is_unsubscribed(world, watch) -> None:
    news, gala = world.a_list("News"), world.a_list("Gala")
    kept, gone = world.person("ana@rivermail.test", news), world.person("anna@rivermail.test", news, gala)
    world.push()
    by_us(watch)
    merge(kept, gone)
    assert world.record(gone).cause.startswith("Merged into Ana Ruiz")
    world.push()
    assert status(world, "ana@rivermail.test", news) == "subscribed"
    assert status(world, "ana@rivermail.test", gala) == "subscribed", "the lists of both"
    for one in (news, gala):
        assert status(world, "anna@rivermail.test", one) == "archived"
    changes = by_us(watch)
    assert ("anna@rivermail.test", "archived") in changes
    assert [became for _, became in changes if became == "unsubscribed"] == []
    assert world.push() == 0, "everything is in step"


def test_L19_one_address_that_both_have_just_goes_on(world, watch) -> None:
    news, gala = world.a_list("News"), world.a_list("Gala")
    kept, gone = world.person("ana@rivermail.test", news), world.person("Ana@rivermail.test", gala)
    world.push()
    by_us(watch)
    merge(kept, gone)
    world.push()
    assert status(world, "ana@rivermail.test", news) == "subscribed"
    assert status(world, "ana@rivermail.test", gala) == "subscribed"
    changes = by_us(watch)
    assert [c for c in changes if c[1] in ("archived", "unsubscribed")] == []


def test_L19_who_had_no_address_goes_on_as_the_same_member_there(world, watch) -> None:
    news = world.a_list("News")
    kept, gone = world.person("", news), world.person("anna@rivermail.test", news)
    world.push()
    before = world.there("anna@rivermail.test", home(world, news))
    by_us(watch)
    merge(kept, gone)
    world.push()
    after = world.there("anna@rivermail.test", home(world, news))
    assert before is not None
    assert after is not None
    assert after["status"] == "subscribed"
    assert after["contact_id"] == before["contact_id"]
    assert by_us(watch) == []


def test_L19_when_the_other_address_is_chosen_one_active_member_remains(world, watch) -> None:
    news = world.a_list("News")
    kept, gone = world.person("ana@rivermail.test", news), world.person("anna@rivermail.test", news)
    world.push()
    by_us(watch)
    merge(kept, gone, {"email": "gone"})
    world.push()
    assert status(world, "anna@rivermail.test", news) == "subscribed"
    assert status(world, "ana@rivermail.test", news) != "subscribed"
    assert [became for _, became in by_us(watch) if became == "unsubscribed"] == []


def test_L35_who_unsubscribed_there_stays_unsubscribed_and_takes_nobody_back(world, watch) -> None:
    news = world.a_list("News")
    kept, gone = world.person("ana@rivermail.test", news), world.person("anna@rivermail.test", news)
    world.push()
    container = home(world, news)
    world.act("person", "unsubscribe", email="anna@rivermail.test", audience=container)
    listen(world)
    merge(kept, gone)
    world.push()
    assert status(world, "anna@rivermail.test", news) == "unsubscribed"
    assert status(world, "ana@rivermail.test", news) == "unsubscribed", "they are one person, who opted out"
    kept.memberships.update(do_not_contact=False)
    world.push()
    assert status(world, "ana@rivermail.test", news) in ("pending", "unsubscribed"), "asked at most"


def test_L35_an_opt_out_under_the_old_address_after_the_merge_is_honoured(world, watch) -> None:
    news = world.a_list("News")
    kept, gone = world.person("ana@rivermail.test", news), world.person("anna@rivermail.test", news)
    world.push()
    merge(kept, gone)
    world.act("person", "unsubscribe", email="anna@rivermail.test", audience=home(world, news))  # before we are there
    listen(world)
    world.push()
    assert status(world, "anna@rivermail.test", news) == "unsubscribed"
    assert status(world, "ana@rivermail.test", news) != "subscribed"


def test_L19_undo_puts_both_there_again(world, watch) -> None:
    news, gala = world.a_list("News"), world.a_list("Gala")
    kept, gone = world.person("ana@rivermail.test", news), world.person("anna@rivermail.test", news, gala)
    world.push()
    made = merge(kept, gone)
    world.push()
    undo(made)
    world.push()
    assert status(world, "ana@rivermail.test", news) == "subscribed"
    assert status(world, "anna@rivermail.test", news) == "subscribed"
    assert status(world, "anna@rivermail.test", gala) == "subscribed"
    there = world.there("ana@rivermail.test", home(world, gala))
    assert there is None or there["status"] == "archived" or "Gala" not in str(there["tags"])


def test_L17_L19_undo_brings_back_an_address_that_the_merge_gave_up(world, watch) -> None:
    news = world.a_list("News")
    kept, gone = world.person("ana@rivermail.test", news), world.person("anna@rivermail.test", news)
    world.push()
    made = merge(kept, gone, {"email": "gone"})
    world.push()
    assert status(world, "ana@rivermail.test", news) == "archived"
    undo(made)
    world.push()
    assert status(world, "ana@rivermail.test", news) == "subscribed"
    assert status(world, "anna@rivermail.test", news) == "subscribed"
    assert not RemoteRecord.objects.exclude(reason_code="").exists()


def test_L35_undo_never_subscribes_who_opted_out_after_the_merge(world, watch) -> None:
    news = world.a_list("News")
    kept, gone = world.person("ana@rivermail.test", news), world.person("anna@rivermail.test", news)
    world.push()
    made = merge(kept, gone, {"email": "gone"})
    world.push()
    world.act("person", "unsubscribe", email="anna@rivermail.test", audience=home(world, news))
    listen(world)
    by_us(watch)
    undo(made)
    world.push()
    assert status(world, "anna@rivermail.test", news) == "unsubscribed"
    assert status(world, "ana@rivermail.test", news) != "subscribed"
    assert [became for _, became in by_us(watch) if became == "subscribed"] == []


def test_L30_the_history_of_both_names_the_merge_as_the_cause(world, watch) -> None:
    news = world.a_list("News")
    kept, gone = world.person("ana@rivermail.test", news), world.person("anna@rivermail.test", news)
    world.push()
    merge(kept, gone)
    world.push()
    assert Delivery.objects.filter(subject_uid=gone.uid, cause__startswith="Merged into").exists()
    assert EmailAddress.objects.filter(contact=kept).count() == 2


def listen(world: World) -> None:
    """A reading of everybody who opted out there, and whatever follows from it."""
    serve(world.connection.pk, listen=True)
    world.push()
