"""Webhooks out: who is told of what, written down in the transaction of the change; and what staff do about them."""

import secrets
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from contacts.models import HistoryEntry, User
from contacts.tenancy import cards
from contacts.tenancy.roles import SEE, is_allowed
from integrations import jobs
from integrations.models.hook import HookDelivery, OutgoingHook
from integrations.provider_kit.addresses import checked_addresses
from tasks_app import signals
from tasks_app.models import ThankYou

PREFIX = "whsec_"
MOST = 10  # addresses of one organization
OVERLAP = timedelta(days=1)  # how long the secret before a new one signs as well
REFUSED = "This address cannot be called from here. It has to be https, on a public machine that answers."


def connect() -> None:
    """Called once when the app is ready."""
    signals.task_created.connect(hear_created, dispatch_uid="integrations.hooks.created")
    signals.task_changed.connect(hear_changed, dispatch_uid="integrations.hooks.changed")
    cards.add_need(needs, order=45)


def needs(request: HttpRequest) -> Iterator[cards.Need]:
    """On the first page: addresses to which nothing goes out any more."""
    if is_allowed(request, SEE, "keys"):
        paused = OutgoingHook.objects.exclude(paused_at=None).count()
        words = "webhook is" if paused == 1 else "webhooks are"
        link = f"{reverse('integrations:hooks')}?state=paused"
        yield cards.Need(
            paused, f"{words} paused: nothing has arrived there for days", link, "Look at it", "", "webhook"
        )


def hear_created(sender: Any, thank_you_pks: Collection[int], **more: Any) -> None:
    """New thank-yous."""
    write_down(OutgoingHook.Kind.CREATED, thank_you_pks)


def hear_changed(sender: Any, thank_you_pks: Collection[int], **more: Any) -> None:
    """Thank-yous that have changed."""
    write_down(OutgoingHook.Kind.CHANGED, thank_you_pks)


def write_down(kind: str, thank_you_pks: Collection[int]) -> None:
    """A message for each of them to each address that wants it; as many queries for 500 as for one."""
    hooks = [hook for hook in OutgoingHook.objects.order_by("pk") if kind in hook.kinds.split()]
    if not hooks or not thank_you_pks:
        return
    rows = ThankYou.objects.filter(pk__in=list(thank_you_pks)).order_by("pk")
    uids = list(rows.values_list("uid", flat=True))
    HookDelivery.objects.bulk_create(
        [HookDelivery(hook=hook, kind=kind, task_uid=uid) for hook in hooks for uid in uids], batch_size=500
    )
    for hook in hooks:
        if hook.paused_at is None:
            jobs.ring_for_hook(hook.pk)


def checked_url(text: str) -> str:
    """The address, if it is one that we call. Raises `ValidationError` with a sentence."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise ValidationError("This is no address of the web.") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValidationError("Type the whole address, beginning with https://.")
    if parts.username or parts.password or parts.fragment:
        raise ValidationError("An address with a name, a password or a # in it is not called.")
    try:
        checked_addresses(parts.hostname, port, encrypted=parts.scheme == "https")
    except OSError:
        raise ValidationError(REFUSED) from None
    return text.strip()


@transaction.atomic
def register(url: str, kinds: Collection[str], by: User | None, secret: str = "") -> tuple[OutgoingHook, str]:
    """An address that is told from now on, and the secret with which its messages are signed: shown this once. The
    demo brings a secret of its own."""
    if OutgoingHook.objects.count() >= MOST:
        raise ValidationError(f"There are {MOST} webhooks already. Remove one first.")
    secret = secret or PREFIX + secrets.token_urlsafe(32)
    hook: OutgoingHook = OutgoingHook.objects.create(
        url=url, kinds=" ".join(sorted(kinds)), secret=secret, created_by=by
    )
    note(HistoryEntry.Verb.ADDED, hook)
    return hook, secret


@transaction.atomic
def remove(hook: OutgoingHook) -> None:
    """It is told nothing any more; what was on its way is forgotten."""
    note(HistoryEntry.Verb.DELETED, hook)
    hook.delete()


@transaction.atomic
def renew_secret(hook: OutgoingHook) -> str:
    """Another secret, shown this once. For a day messages are signed with the old one, too: none is lost before the
    program there has the new one."""
    row = OutgoingHook.objects.select_for_update(no_key=True).get(pk=hook.pk)
    row.old_secret, row.old_secret_until = row.secret, timezone.now() + OVERLAP
    row.secret = PREFIX + secrets.token_urlsafe(32)
    row.save(update_fields=["secret", "old_secret", "old_secret_until"])
    note(HistoryEntry.Verb.CHANGED, row, {"secret renewed": [False, True]})
    return str(row.secret)


@transaction.atomic
def send_test(hook: OutgoingHook) -> None:
    """A message about nothing, before all that waits, so that staff see whether the address takes it."""
    first = timezone.now() - OVERLAP
    HookDelivery.objects.create(hook=hook, kind=HookDelivery.TEST, next_at=first)
    OutgoingHook.objects.filter(pk=hook.pk).update(rests_until=None)
    jobs.ring_for_hook(hook.pk)


@transaction.atomic
def resume(hook: OutgoingHook) -> None:
    """Try again: what has waited goes out now."""
    now = timezone.now()
    OutgoingHook.objects.filter(pk=hook.pk).update(paused_at=None, failing_since=None, rests_until=None)
    HookDelivery.objects.filter(hook=hook, state=HookDelivery.State.DUE).update(next_at=now)
    jobs.ring_for_hook(hook.pk)


@transaction.atomic
def send_again(delivery: HookDelivery) -> None:
    """By hand: once more, with the same id."""
    HookDelivery.objects.filter(pk=delivery.pk).update(state=HookDelivery.State.DUE, next_at=timezone.now())
    jobs.ring_for_hook(delivery.hook_id)


def note(verb: str, hook: OutgoingHook, changes: dict[str, list[Any]] | None = None) -> None:
    """Who registered, changed or removed an address stands in the history, without what may be a key in it."""
    host = urlsplit(hook.url).hostname or ""
    HistoryEntry.by_actor(verb=verb, what="webhook", label=host[:250], changes=changes or {}).save()
