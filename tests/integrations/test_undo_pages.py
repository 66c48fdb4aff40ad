"""“Take back…” on the pages (L37): who may, what is said before, what stands on the report and the Why card after."""

from typing import Any

import pytest

from contacts.models import ListMembership
from contacts.tenancy.walls import in_tenant
from integrations.models import RemoteRecord, SyncRun
from integrations.sync import runs
from tests.integrations.desk import Desk, desk, said
from tests.integrations.engine import World

# The walk of tests/tenancy opens these pages on PostgreSQL, too.
pytestmark = pytest.mark.once

HOME = "/admin/"


@pytest.fixture
def run(world: World, tenant: Any) -> SyncRun:
    """A Sync that took two people off their list, and added one."""
    with in_tenant(tenant):
        one = world.a_list()
        for n in range(2):
            world.person(f"p{n}@crowd.test", one, first_name=f"P{n}")
        world.push()
        ListMembership.objects.all().delete()
        world.person("new@crowd.test", one, first_name="New")
        RemoteRecord.objects.update(due_at=None)
        return world.sync()


def page(run: SyncRun, more: str = "") -> str:
    return f"/admin/integrations/syncs/{run.uid}/{more}"


def press(client: Desk, world: World, run: SyncRun, more: str) -> Any:
    """A button, and the work that it leads to."""
    answer = client.post(page(run, more), follow=True)
    with in_tenant(world.tenant):
        world.push()
    return answer


def test_L37_from_the_report_over_a_preview_to_what_came_of_it(
    world: World, tenant: Any, owner: Desk, run: SyncRun
) -> None:
    assert "Take back… For 30 days" in owner.text(page(run))
    press(owner, world, run, "take-back/")
    with in_tenant(tenant):
        undo = SyncRun.objects.get(kind="undo")
    words = owner.text(page(undo))
    assert "Takes back the Sync of" in words
    assert "2 people will be subscribed again and 1 taken off." in words
    assert "Taking back puts Mailchimp as it was before" in words and "or when you press Sync" in words
    assert "Nobody who opted out" in words
    press(owner, world, undo, "confirm/")
    words = owner.text(page(undo))
    assert "Mailchimp: taking back" in words and "Done 3" in words
    assert "What was taken back is held : each contact goes out again when something changes here" in words
    report = owner.text(page(run))
    assert f"Taken back by {owner.user} on" in report and "See what came of it" in report
    assert "Take back…" not in report
    assert "2 people subscribed again and 1 taken off." in owner.text("/admin/integrations/syncs/")


def test_L37_the_why_card_says_who_took_it_back_and_what_sends_it_again(
    world: World, tenant: Any, owner: Desk, run: SyncRun
) -> None:
    press(owner, world, run, "take-back/")
    with in_tenant(tenant):
        undo = SyncRun.objects.get(kind="undo")
    press(owner, world, undo, "confirm/")
    with in_tenant(tenant):
        from contacts.models import Contact

        who = Contact.objects.get(first_name="P0")
    words = owner.text(f"/admin/contacts/contact/{who.pk}/change/")
    assert f"Held as before. Taken back by {owner.user} on" in words
    assert "It goes out again when something changes here about this contact or list, or when you press Sync." in words
    assert "Go to Sync" in words
    for path in ("/admin/integrations/syncs/", "/admin/"):
        assert "Take-back" in owner.text(path) and "Undo" not in owner.text(path)
    held = owner.text("/admin/integrations/set-aside/?kind=held")
    assert held.count(f"Held as before. Taken back by {owner.user}") == 3
    owner.post("/admin/integrations/setup/mailchimp/sync/")
    with in_tenant(tenant):
        world.push()
        shown = SyncRun.objects.get(state="ready")
    assert (
        "3 rows were taken back after an earlier run and are held. If you confirm, they are sent again"
        in owner.text(page(shown))
    )


def test_L37_nothing_to_take_back_is_said(world: World, tenant: Any, owner: Desk, run: SyncRun) -> None:
    press(owner, world, run, "take-back/")
    with in_tenant(tenant):
        undo = SyncRun.objects.get(kind="undo")
    press(owner, world, undo, "confirm/")
    press(owner, world, run, "take-back/")
    with in_tenant(tenant):
        second = SyncRun.objects.filter(kind="undo").first()
    assert second is not None
    assert "There is nothing to take back: Mailchimp is as it was before." in owner.text(page(second))


@pytest.mark.parametrize("role", ["viewer", "staff"])
def test_L37_who_may_only_look_may_not_take_back(world: World, tenant: Any, run: SyncRun, role: str) -> None:
    looker = desk(tenant, role)
    assert "Take back" not in looker.text(page(run))
    assert looker.post(page(run, "take-back/")).status_code == 403
    with in_tenant(tenant):
        assert not SyncRun.objects.filter(kind="undo").exists()


def test_L37_a_neighbour_finds_nothing(neighbour: Any, run: SyncRun) -> None:
    assert desk(neighbour).post(page(run, "take-back/")).status_code == 404
    assert desk(neighbour).get(page(run)).status_code == 404


def test_L37_looking_changes_nothing_and_the_button_is_no_link(owner: Desk, tenant: Any, run: SyncRun) -> None:
    assert owner.get(page(run, "take-back/")).status_code == 405
    with in_tenant(tenant):
        assert not SyncRun.objects.filter(kind="undo").exists()


def test_L37_what_is_under_way_comes_first(world: World, tenant: Any, owner: Desk, run: SyncRun) -> None:
    with in_tenant(tenant):
        other = runs.start(world.connection, owner.user)
    answer = owner.post(page(run, "take-back/"), follow=True)
    assert "Something else is going on with Mailchimp" in said(answer)
    assert answer.redirect_chain[-1][0] == page(other)
    assert "cannot be taken back" in said(owner.post(page(other, "take-back/"), follow=True))
