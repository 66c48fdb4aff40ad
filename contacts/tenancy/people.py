"""Who works in an organization: changing a role and removing somebody. There is always an owner who can log in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from contacts.models.history import HistoryEntry
from contacts.tenancy.models import Role, StaffMember, Tenant, User
from contacts.tenancy.roles import CHANGE, may

PLACE = "place in the organization"  # the kind of row, as the history calls it


@contextmanager
def deciding(by: StaffMember) -> Iterator[None]:
    """One decision about people at a time in each organization, by somebody who may still decide.

    Without it, two owners who demote each other in the same moment would both see the other as the one who stays.
    """
    with transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=by.tenant_id)
        now = StaffMember.objects.filter(pk=by.pk).first()
        if not may(now.role if now else None, CHANGE, "people"):
            raise PermissionDenied("Your own role has just been changed, so nothing was done.")
        yield


def change_role(by: StaffMember, pk: int, role: str) -> StaffMember:
    """Give somebody another role; it holds from their next click on."""
    with deciding(by):
        member = StaffMember.objects.select_related("user").get(pk=pk)
        before = member.role
        if before != role:
            keep_an_owner(member)
            member.role = role
            member.save(update_fields=["role"])
            note(HistoryEntry.Verb.CHANGED, PLACE, named(member.user), {"role": [before, role]})
    return member


def remove(by: StaffMember, pk: int) -> User:
    """Take somebody's place away. Their log-in stays, for other organizations, and so does their name on their work."""
    with deciding(by):
        member = StaffMember.objects.select_related("user").get(pk=pk)
        keep_an_owner(member)
        member.delete()
        note(HistoryEntry.Verb.DELETED, PLACE, named(member.user), {"role": [member.role, None]})
    return member.user


def keep_an_owner(member: StaffMember) -> None:
    """Refuse when this is the last owner who can log in."""
    if member.role == Role.OWNER and is_last_owner(member):
        raise ValidationError(f"{member.user} is the only owner. Make somebody else an owner first.")


def is_last_owner(member: StaffMember) -> bool:
    """Whether there is no other owner who can log in."""
    others = StaffMember.objects.filter(role=Role.OWNER, user__is_active=True).exclude(pk=member.pk)
    return not others.exists()


def named(user: User) -> str:
    """Name and address, as histories keep them."""
    name = user.get_full_name()
    return f"{name} ({user.email})" if name else user.email


def note(verb: str, what: str, label: str, changes: dict[str, list[Any]]) -> None:
    """Write it into the organization's history, as the act of whoever is acting."""
    HistoryEntry.by_actor(verb=verb, what=what, label=label[:250], changes=changes).save()
