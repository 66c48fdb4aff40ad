"""A worker is killed at any statement that it sends to the database: no gift is missed, none thanked twice, no change
lost, and no interaction saved twice (D5, D12). From the kill on nothing reaches the database, not even a good-bye."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database

from contacts.models import Contact, OutsideIdentifier
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection, GiftRun
from integrations.sync import gift_pages
from integrations.sync.serve import serve
from tasks_app.models import Reason
from tests.integrations.giving import ALL, DonorPerfectWorld
from tests.integrations.test_interactions import sent, thank_you

pytestmark = pytest.mark.once
EVERY = 13  # of the statements of a look one in so many is tried; 1 tries each, and takes minutes


class Killed(BaseException):
    """What a kill looks like from the inside."""


@pytest.fixture
def world(tenant: Any, donor_perfect: Any) -> DonorPerfectWorld:
    return DonorPerfectWorld(tenant, donor_perfect, on=ALL)


def dies_at(number: int, work: Callable[[], Any]) -> bool:
    """Whether the work was killed at this statement. What was not committed is rolled back, as by a lost connection."""
    sent_so_far = 0

    def wire(execute: Any, sql: str, *more: Any) -> Any:
        nonlocal sent_so_far
        sent_so_far += not sql.startswith("ROLLBACK")
        if sent_so_far >= number and not sql.startswith("ROLLBACK"):
            raise Killed
        return execute(sql, *more)

    try:
        with database.execute_wrapper(wire):
            work()
    except Killed:
        return True
    return False


def at_each_statement(
    world: DonorPerfectWorld, prepare: Callable[[int], Any], check: Callable[[int, Any], None], every: int = 1
) -> int:
    """Prepare, kill, let another worker go on, check; until a worker gets through. How many statements there were."""
    number = 1 - every
    while True:
        number += every
        prepared = prepare(number)
        killed = dies_at(number, lambda: serve(world.connection.pk))
        with in_tenant(world.tenant):
            Connection.objects.update(lease_until=None, retry_at=None)  # the lease of the dead runs out
        world.work()
        check(number, prepared)
        if not killed:
            return number - 1


def begin(world: DonorPerfectWorld, kind: str) -> None:
    with in_tenant(world.tenant):
        gift_pages.begin(world.connection, kind)


def test_D5_a_kill_at_any_statement_misses_no_gift_and_thanks_nobody_twice(world: DonorPerfectWorld) -> None:
    def prepare(number: int) -> str:
        gift = world.gift(world.donor(first_name=f"N{number}", email=f"n{number}@donors.test"), 30)
        begin(world, "new")
        return str(gift)

    def check(number: int, gift: str) -> None:
        with in_tenant(world.tenant):
            assert [one.source_id for one in world.gifts(source_id=gift)] == [gift]
            assert Reason.objects.filter(gift__source_id=gift, withdrawn_at=None).count() == 1
            assert Contact.objects.count() == OutsideIdentifier.objects.count() == number // EVERY + 1
            assert not GiftRun.objects.filter(state="running").exists()

    assert at_each_statement(world, prepare, check, EVERY) > 50


def test_D5_M8_a_kill_at_any_statement_loses_no_change(world: DonorPerfectWorld) -> None:
    donor = world.donor()

    def prepare(number: int) -> tuple[str, str]:
        kept, gone = (world.gift(donor, 30) for _ in range(2))
        world.look()
        world.act("edit_gift", gift=kept, amount=100 + number)
        world.act("delete_gift", gift=gone)
        begin(world, "changes")
        return str(kept), str(gone)

    def check(number: int, gifts: tuple[str, str]) -> None:
        kept, gone = (world.gifts(source_id=each)[0] for each in gifts)
        assert (int(kept.amount), kept.stands, gone.stands) == (100 + number, True, False)
        told = [outcome for there, outcome, _ in world.items() if there in gifts]
        assert sorted(told) == ["gone", "new", "new", "updated"], "told once each"

    assert at_each_statement(world, prepare, check, EVERY) > 50


def test_D12_a_kill_at_any_statement_saves_no_interaction_twice(world: DonorPerfectWorld) -> None:
    donor = world.donor()

    def prepare(number: int) -> int:
        before = len(world.interactions)
        sent(world, thank_you(world, donor, last_name=f"N{number}"))
        return before

    def check(number: int, before: int) -> None:
        assert len(world.interactions) == before + 1
        assert [(one.state, one.effect) for one in world.records()][-1] == ("ok", "done")

    assert at_each_statement(world, prepare, check) > 15
