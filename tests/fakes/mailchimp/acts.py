"""What people and account holders can do, by name, for scripts and for the page's buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.fakes import acts
from tests.fakes.mailchimp import holder_acts as holder
from tests.fakes.mailchimp import person_acts as person
from tests.fakes.mailchimp.act import Act

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox

ACTS: dict[tuple[str, str], Callable[[Act], dict[str, Any] | None]] = {
    ("person", "unsubscribe"): person.leave,
    ("person", "confirm"): person.confirm,
    ("person", "change_address"): person.change_address,
    ("person", "update_profile"): person.update_profile,
    ("person", "resubscribe"): person.sign_up,
    ("person", "sign_up"): person.sign_up,
    ("person", "complain"): person.complain,
    ("holder", "revoke"): holder.revoke,
    ("holder", "set_account"): holder.set_account,
    ("holder", "mark_busy"): holder.mark_busy,
    ("holder", "add_member"): holder.add_member,
    ("holder", "add_crowd"): holder.add_crowd,
    ("holder", "archive"): holder.archive,
    ("holder", "delete_permanent"): holder.erase,
    ("holder", "unsubscribe"): holder.unsubscribe,
    ("holder", "clean"): holder.clean,
    ("holder", "add_tag"): holder.add_tag,
    ("holder", "remove_tag"): holder.remove_tag,
    ("holder", "rename_tag"): holder.rename_tag,
    ("holder", "delete_tag"): holder.delete_tag,
    ("holder", "delete_audience"): holder.delete_audience,
    ("holder", "rename_audience"): holder.rename_audience,
    ("holder", "set_audience"): holder.set_audience,
    ("holder", "require_field"): holder.require_field,
}


def perform(sandbox: MailchimpSandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """Do one act; ValueError tells a script what it got wrong."""
    return acts.perform(sandbox, ACTS, Act, wish)
