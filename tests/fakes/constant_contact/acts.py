"""What people and account holders can do, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.fakes import acts
from tests.fakes.constant_contact import holder_acts as holder
from tests.fakes.constant_contact import person_acts as person
from tests.fakes.constant_contact.act import Act

if TYPE_CHECKING:
    from tests.fakes.constant_contact.app import ConstantContactSandbox

ACTS: dict[tuple[str, str], Callable[[Act], dict[str, Any] | None]] = {
    ("person", "unsubscribe"): person.leave,
    ("person", "confirm"): person.confirm,
    ("person", "sign_up"): person.sign_up,
    ("person", "change_address"): person.change_address,
    ("person", "update_profile"): person.update_profile,
    ("holder", "revoke"): holder.revoke,
    ("holder", "expire_tokens"): holder.expire_tokens,
    ("holder", "set_account"): holder.set_account,
    ("holder", "spend_calls"): holder.spend_calls,
    ("holder", "finish_activities"): holder.finish_activities,
    ("holder", "add_contact"): holder.add_contact,
    ("holder", "add_crowd"): holder.add_crowd,
    ("holder", "unsubscribe"): holder.unsubscribe,
    ("holder", "hold"): holder.hold,
    ("holder", "release"): holder.release,
    ("holder", "delete"): holder.delete,
    ("holder", "revive"): holder.revive,
    ("holder", "edit"): holder.edit,
    ("holder", "change_address"): holder.change_address,
    ("holder", "put_on_list"): holder.put_on_list,
    ("holder", "take_off_list"): holder.take_off_list,
    ("holder", "add_list"): holder.add_list,
    ("holder", "rename_list"): holder.rename_list,
    ("holder", "delete_list"): holder.delete_list,
}


def perform(sandbox: ConstantContactSandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """Do one act; ValueError tells a script what it got wrong."""
    return acts.perform(sandbox, ACTS, Act, wish)
