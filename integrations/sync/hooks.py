"""Sending webhooks: a turn takes what is due to one address, signs it, and notes what was answered (T8).

At least once: the next attempt is written down before a message leaves, so a killed worker's is sent again, with the
same id. All calls go through `provider_kit/http.py`, which keeps them out of private networks.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from contacts.models import Role, StaffMember
from contacts.tenancy.walls import in_tenant
from integrations.models.hook import HookDelivery, OutgoingHook
from integrations.provider_kit.errors import CallFailed
from integrations.provider_kit.http import Http, as_body
from integrations.sync.notices import tell

log = logging.getLogger(__name__)
PATIENCE = 10.0  # seconds that an address may say nothing
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=3)
FAILURES_IN_A_ROW = 3  # then the address is left in peace for a while
LONGEST_REST = timedelta(minutes=15)
State = HookDelivery.State


def waiting() -> list[int]:
    """The hooks of all organizations to which something is due, and which nobody is serving."""
    now = timezone.now()
    due = HookDelivery.objects.with_scopes_disabled().filter(state=State.DUE, next_at__lte=now)
    hooks = OutgoingHook.objects.with_scopes_disabled().filter(free(now), pk__in=due.values("hook"), paused_at=None)
    return list(hooks.values_list("pk", flat=True))


def free(now: datetime) -> Q:
    """Those that no worker is serving, and that are not left in peace just now."""
    return (Q(lease_until=None) | Q(lease_until__lte=now)) & (Q(rests_until=None) | Q(rests_until__lte=now))


def turn(hook_pk: int) -> bool:
    """Send what is due to one address, for a quarter of a minute. Returns whether there is more to do now."""
    everybodys = OutgoingHook.objects.with_scopes_disabled()
    hook: OutgoingHook | None = everybodys.select_related("tenant").filter(pk=hook_pk).first()
    if hook is None:
        return False
    with in_tenant(hook.tenant):
        now = timezone.now()
        mine = OutgoingHook.objects.filter(free(now), pk=hook_pk, paused_at=None)
        if not mine.update(lease_until=now + timedelta(seconds=settings.LEASE_SECONDS), rests_until=None):
            return False
        try:
            send_what_is_due(hook)
        finally:
            OutgoingHook.objects.filter(pk=hook_pk).update(lease_until=None)
        return HookDelivery.objects.filter(
            hook=hook, hook__paused_at=None, hook__rests_until=None, state=State.DUE, next_at__lte=timezone.now()
        ).exists()


def send_what_is_due(hook: OutgoingHook) -> None:
    """One after the other, the oldest first."""
    parts = urlsplit(hook.url)
    until, failures = time.monotonic() + settings.SLICE_SECONDS, 0
    http = Http("The address of the webhook", f"{parts.scheme}://{parts.netloc}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        while time.monotonic() < until and failures < FAILURES_IN_A_ROW:
            delivery = next_due(hook)
            if delivery is None:
                return
            failures = 0 if send(http, path, hook, delivery) else failures + 1
            OutgoingHook.objects.filter(pk=hook.pk).update(
                lease_until=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
            )
        if failures == FAILURES_IN_A_ROW:
            leave_in_peace(hook)
    finally:
        http.close()


def leave_in_peace(hook: OutgoingHook) -> None:
    """For as long as it has been failing, a quarter of an hour at most: however much is due to an address that takes
    nothing, waiting for it does not keep a worker from everybody else."""
    now = timezone.now()
    since = OutgoingHook.objects.values_list("failing_since", flat=True).get(pk=hook.pk) or now
    rest = min(max(now - since, FIRST_WAIT), LONGEST_REST)
    OutgoingHook.objects.filter(pk=hook.pk).update(rests_until=now + rest)


def next_due(hook: OutgoingHook) -> HookDelivery | None:
    """The next message, with its next attempt written down already, should this one never end. Others that would say
    the same go: whoever reads the task after this message sees what they were about, too."""
    now = timezone.now()
    rows = HookDelivery.objects.filter(hook=hook, state=State.DUE, next_at__lte=now).order_by("next_at", "pk")
    found: HookDelivery | None = rows.first()
    if found is not None:
        found.attempts += 1
        same = HookDelivery.objects.filter(hook=hook, kind=found.kind, task_uid=found.task_uid, state=State.DUE)
        same.filter(attempts=0).exclude(pk=found.pk).delete()
        HookDelivery.objects.filter(pk=found.pk).update(
            attempts=F("attempts") + 1, tried_at=now, next_at=now + wait_after(found.attempts)
        )
    return found


def wait_after(attempts: int) -> timedelta:
    """Half a minute, then twice as long each time, up to six hours."""
    return min(FIRST_WAIT * 2 ** min(attempts - 1, 20), LONGEST_WAIT)


def content(delivery: HookDelivery) -> dict[str, Any]:
    """What is sent: of what kind, and which task; nothing about the donor leaves us without a key."""
    told = {
        "id": str(delivery.uid), "type": delivery.kind,
        "at": delivery.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    if delivery.task_uid is None:
        return told
    path = reverse("video_api:task", args=[delivery.task_uid])
    return told | {"task": {"id": str(delivery.task_uid), "url": f"{settings.PUBLIC_URL}{path}"}}


def signature(secrets: Iterable[str], body: bytes, at: int) -> str:
    """The header Almoner-Signature: when it was signed, and with each secret HMAC-SHA256 of “<when>.<body>”."""
    text = f"{at}.".encode() + body
    signed = [hmac.new(secret.encode(), text, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={each}" for each in signed)])


def send(http: Http, path: str, hook: OutgoingHook, delivery: HookDelivery) -> bool:
    """Send it and note what came of it. Returns whether it arrived."""
    told = content(delivery)
    headers = {
        "Almoner-Signature": signature(hook.secrets, as_body(told), int(time.time())),
        "Almoner-Event": delivery.kind,
    }
    try:
        answer = http.call("POST", path, json=told, headers=headers, patience=PATIENCE)
    except CallFailed as failure:
        return note_failure(hook, delivery, None, str(failure))
    if 200 <= answer.status < 300:
        note_arrival(hook, delivery, answer.status)
        return True
    return note_failure(hook, delivery, answer.status, f"It answered {answer.status}.")


def note_arrival(hook: OutgoingHook, delivery: HookDelivery, status: int) -> None:
    """It is there, and the address is well."""
    with transaction.atomic():
        HookDelivery.objects.filter(pk=delivery.pk).update(state=State.DONE, status=status, answer="")
        OutgoingHook.objects.filter(pk=hook.pk).exclude(failing_since=None).update(failing_since=None)


def note_failure(hook: OutgoingHook, delivery: HookDelivery, status: int | None, sentence: str) -> bool:
    """It is tried again later; after three days it is given up, and an address that took nothing for three days is
    paused. Always False: it did not arrive."""
    now = timezone.now()
    is_over = delivery.at < now - GIVE_UP_AFTER and delivery.attempts > 1
    with transaction.atomic():
        HookDelivery.objects.filter(pk=delivery.pk).update(
            state=State.FAILED if is_over else State.DUE, status=status, answer=sentence[:250]
        )
        OutgoingHook.objects.filter(pk=hook.pk, failing_since=None).update(failing_since=now)
        failing = OutgoingHook.objects.filter(pk=hook.pk, failing_since__lte=now - GIVE_UP_AFTER, paused_at=None)
        if failing.update(paused_at=now):
            log.warning("A webhook is paused: nothing has arrived there for days.", extra={"hook": hook.pk})
            transaction.on_commit(lambda: tell_staff(hook), robust=True)
    return False


def tell_staff(hook: OutgoingHook) -> None:
    """Owners and managers hear of it, once."""
    with in_tenant(hook.tenant):
        members = StaffMember.objects.filter(role__in=[Role.OWNER, Role.MANAGER], user__is_active=True)
        addresses: Iterable[str] = sorted(members.values_list("user__email", flat=True))
    host = urlsplit(hook.url).hostname
    link = f"{settings.PUBLIC_URL}{reverse('integrations:hooks')}"
    body = (
        f"{hook.tenant}: the webhook to {host} is paused.\n\nNothing that was sent there has arrived for three days. "
        f"What is to be told is kept. Ask whoever runs the program there, and then press Resume: {link}\n"
    )
    for address in addresses:
        tell(address, f"The webhook to {host} is paused ({hook.tenant})", body)
