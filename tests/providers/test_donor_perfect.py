"""DonorPerfect as a provider: what it can do, its switches, the letter, and the key that is tried at once (D1–D4)."""

from typing import Any

import pytest

from integrations.models import Connection, Credential
from integrations.provider_kit.base import Can
from integrations.provider_kit.errors import CallFailed, Reconnect
from integrations.providers import all_providers, provider_for

KIND = all_providers()["donor_perfect"]


def test_it_takes_no_lists_and_reads_no_opt_outs() -> None:
    assert KIND.can == {Can.KEY, Can.PULL_GIFTS, Can.WRITE_INTERACTIONS}
    assert KIND.policy({}).fields == () and KIND.is_set_up({}) and KIND.limits({}) is None


def test_D4_there_are_four_switches_by_their_names() -> None:
    names = [each.label for each in KIND.switches]
    assert names == ["New gift added", "Save task sent", "Save replies", "Save watches"]


def test_the_letter_names_the_organization_its_client_id_and_the_user() -> None:
    letter = KIND.key_letter("River Trust", {"client_id": "4711RT", "user": "ALMONER"})
    assert (letter.to, letter.copy_to) == ("api@softerware.com", "mwarren@softerware.com")
    for word in ("River Trust", "4711RT", "ALMONER"):
        assert word in letter.body
    assert "4711RT" in letter.subject and "…" in KIND.key_letter("River Trust", {}).body


def test_D1_a_key_is_tried_before_it_is_an_account(donor_perfect: Any) -> None:
    account = KIND.account_from_key(f" {donor_perfect.issued_key()} ", {"client_id": "4711rt", "user": ""})
    assert (account.account_id, account.label) == ("4711RT", "Client 4711rt")
    assert account.secret == {"key": donor_perfect.issued_key()}
    with pytest.raises(CallFailed) as failed:
        KIND.account_from_key("A" * 120, {})
    assert isinstance(failed.value.outcome, Reconnect)


@pytest.mark.usefixtures("in_tenant")
def test_D4_the_mark_of_new_gifts_is_the_highest_number_of_now(donor_perfect: Any) -> None:
    connection = Connection.objects.create(provider="donor_perfect", state="active")
    Credential.store(connection, {"key": donor_perfect.issued_key()}, None)
    with provider_for(connection) as provider:
        mark = provider.switch_mark("new_gift")
        assert mark["after"] == donor_perfect.account().fixtures["last_gift"] and {*mark} == {"after", "gaps", "on"}
        assert provider.switch_mark("sent") == {}
