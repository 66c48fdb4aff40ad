"""The transition table: what a wished status becomes, given where the member stands.

Pure decisions; writing.py carries them out. See the vendor's rules on consent: a person's own
unsubscribe, a bounce or a complaint can be undone by that person only.
"""

from __future__ import annotations

from tests.fakes.mailchimp.errors import Problem, cannot_archive, in_compliance_state, invalid
from tests.fakes.mailchimp.state import Member

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
PATCH_STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending")


def next_status(member: Member, wished: str | None, *, admin_may_return: bool = True) -> str:
    """The status after a write. Without a wish the status is kept, even "archived"."""
    if not wished or wished == member.status:
        return member.status
    if wished in ("subscribed", "transactional"):
        if member.is_in_compliance_state:
            raise in_compliance_state(member.email_address)
        if member.unsubscribed_by == "admin" and not admin_may_return:
            raise in_compliance_state(member.email_address)
    return wished


def check_address_change(member: Member) -> None:
    """Only a subscribed member may move to another address."""
    if member.status != "subscribed":
        message = (
            f'This member\'s status is "{member.status}." '
            'You can only update email addresses for members with a status of "subscribed."'
        )
        problem = invalid("email address", message)
        problem.detail = message
        raise problem


def taken(other: Member) -> Problem:
    """The address a member wants to move to belongs to someone on the list."""
    message = f'{other.email_address} is already in this list with a status of "{other.status}".'
    return invalid("email address", message)


def check_archive(member: Member) -> None:
    if member.status in ("archived", "pending", "cleaned"):
        raise cannot_archive()
