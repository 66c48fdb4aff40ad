"""Programs that tag the same person, or name their pages alike, at the same moment: each gets its answer (O8, O14)."""

from typing import Any

import pytest

from contacts.models import ContactTag
from contacts.tenancy.walls import in_tenant
from gifts.donating import locks
from gifts.models import Donation, PageIdentifier
from tests.factories import ContactFactory, TenantFactory
from tests.gifts.osdi import DONATION, Program, error, said, somebody, uid_in
from tests.gifts.test_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TURNS = 4


def test_O8_one_tag_put_on_one_person_by_many_at_once_is_one_tagging() -> None:
    tenant = TenantFactory(name="River Trust tagging")
    program = Program(tenant)
    codes: list[int] = []

    def act(tag: str, body: object) -> None:
        codes.append(program.post(f"/tags/{tag}/taggings", body).status_code)

    for turn in range(TURNS):
        somebody = ContactFactory(tenant=tenant)
        body = {"_links": {"osdi:person": {"href": f"/people/{somebody.uid}"}}}
        tag = uid_in(said(program.post("/tags", {"name": f"Tag {turn}"})))
        at_once(tenant, [lambda tag=tag, body=body: act(tag, body)] * 6)  # type: ignore[misc]
    assert codes == [200] * 6 * TURNS
    with in_tenant(tenant):
        assert ContactTag.objects.count() == TURNS


def test_O14_one_identifier_for_many_pages_at_once_is_one_pages_and_refuses_nobody() -> None:
    tenant = TenantFactory(name="River Trust pages")
    program = Program(tenant)
    pages, codes = [program.page(f"Page {number}") for number in range(6)], []

    def act(page: str, turn: int) -> None:
        codes.append(program.put(page, {"identifiers": [f"crm:{turn}"]}).status_code)

    for turn in range(TURNS):
        at_once(tenant, [lambda page=page, turn=turn: act(page, turn) for page in pages])  # type: ignore[misc]
    assert codes == [200] * 6 * TURNS
    with in_tenant(tenant):
        assert PageIdentifier.objects.count() == TURNS


def test_O1_a_call_that_nobody_could_carry_out_now_may_come_again_with_the_same_key(monkeypatch: Any) -> None:
    tenant = TenantFactory(name="River Trust busy")
    somebody(tenant, "ana@rivermail.test")
    program = Program(tenant)
    page = program.page()
    body = DONATION | {"person": {"email_addresses": [{"address": "ana@rivermail.test"}]}}
    with monkeypatch.context() as patched:
        patched.setattr(locks, "lock", lambda pks: [])
        answer = program.post(f"{page}/donations", body, **{"Idempotency-Key": "once"})
        assert "try again" in error(answer, 503) and answer["Retry-After"]
    said(program.post(f"{page}/donations", body, **{"Idempotency-Key": "once"}))


@pytest.mark.parametrize("is_named", [True, False])
def test_O3_somebody_who_goes_while_the_call_is_worked_on_is_looked_for_again(monkeypatch: Any, is_named: bool) -> None:
    tenant, above = TenantFactory(name="River Trust going"), TenantFactory(name="River State going")
    program = Program(tenant)
    page = program.page()
    tenant.parent = above
    tenant.save()
    ana, _ = somebody(tenant, "ana@rivermail.test"), somebody(above, "new@rivermail.test")
    link = {"person": None, "_links": {"osdi:person": {"href": f"/people/{ana.uid}"}}}
    new = {"person": {"email_addresses": [{"address": "new@rivermail.test", "status": "subscribed"}]}}
    real, asked = locks.lock, []

    def once_nobody(pks: Any) -> Any:
        asked.append(pks)
        return [] if len(asked) == 1 else real(pks)

    monkeypatch.setattr(locks, "lock", once_nobody)
    said(program.give(page, **(link if is_named else new)))
    assert len(asked) >= 2
    with in_tenant(tenant):
        assert Donation.objects.count() == 1
