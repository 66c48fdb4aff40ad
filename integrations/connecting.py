"""Connect and disconnect: from the button, over the vendor's *Allow* page, to a stored grant.

Views call these verbs; the pages say what came of them. Nothing here knows a provider by name.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import ContactList, HistoryEntry, Tenant, User
from integrations import jobs, switching
from integrations.models import Alarm, Connection, Credential, ListCheck, RemoteRecord
from integrations.provider_kit.base import Account, Can
from integrations.provider_kit.errors import CallFailed
from integrations.providers import all_providers
from integrations.sync import accounts, runs
from integrations.sync.listening import secret_of, stop_listening

State = Connection.State
STATE_LIVES = 10 * 60
OFFER_LIVES = 60 * 60
PENDING = "connecting"  # in the session: {state: [provider, tenant, user, when, code verifier]}


class NotConnected(Exception):
    """The attempt came to nothing; the text is a sentence for the person who made it."""


# --- the way there and back ---


def redirect_uri(provider_key: str) -> str:
    """Where the vendor sends people back to: exactly what was registered with the application key."""
    return f"{settings.PUBLIC_URL}/integrations/{provider_key}/callback/"


def authorize_url(session: MutableMapping[str, Any], provider_key: str, tenant: Tenant, user: User) -> str:
    """The vendor's *Allow* page, with a fresh state and code verifier that are remembered in this person's session."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    fresh = {key: kept for key, kept in session.get(PENDING, {}).items() if time.time() - kept[3] < STATE_LIVES}
    session[PENDING] = {**fresh, state: [provider_key, tenant.pk, user.pk, time.time(), verifier]}
    return all_providers()[provider_key].authorize_url(state, redirect_uri(provider_key), challenge_of(verifier))


def challenge_of(verifier: str) -> str:
    """What the vendor is shown of the verifier before the code is given (PKCE, S256): only we can show the rest."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def check_state(
    session: MutableMapping[str, Any], state: str, provider_key: str, tenant: Tenant | None, user: User
) -> str:
    """Use up a state and return its code verifier, or raise `NotConnected`: it is missing, not ours, used before, too
    old or made for elsewhere."""
    pending = dict(session.get(PENDING, {}))
    kept = pending.pop(state, None)
    session[PENDING] = pending
    label = all_providers()[provider_key].label
    if kept is None or kept[0] != provider_key or kept[2] != user.pk:
        raise NotConnected(
            f"Not connected: this answer from {label} does not belong to a Connect that you started here, "
            "or it was used already. Press Connect again."
        )
    if time.time() - kept[3] > STATE_LIVES:
        raise NotConnected("Not connected: more than ten minutes passed since you pressed Connect. Press it again.")
    if tenant is None or kept[1] != tenant.pk:
        raise NotConnected(
            "Not connected: you changed to another organization while connecting. "
            "Choose the organization at the top of the page and press Connect again."
        )
    return str(kept[4])


def account_behind(provider_key: str, code: str, verifier: str) -> Account:
    """Trade the code for a grant."""
    provider = all_providers()[provider_key]
    if not code:
        raise NotConnected(f"Not connected: {provider.label} sent no answer that could be used. Press Connect again.")
    try:
        return provider.account_from_code(code, redirect_uri(provider_key), verifier)
    except CallFailed as failure:
        raise NotConnected(f"Not connected: {failure}") from failure


def refusal(provider_key: str, error: str) -> str:
    """What the vendor's error at the return means for the person; the vendor's own text is never shown."""
    label = all_providers()[provider_key].label
    if error == "access_denied":
        return f"Not connected: access was not allowed at {label}. Nothing was changed."
    return f"Not connected: {label} reported an error instead of allowing access. Press Connect to try again."


# --- keeping the grant ---


def is_another_account(connection: Connection, account: Account) -> bool:
    """Whether what we know over there belongs to a different account."""
    return bool(connection.account_id and account.account_id) and connection.account_id != account.account_id


def connect(connection: Connection, account: Account, user: User) -> None:
    """Keep the grant. Choices made earlier stay; a connection that only lost its grant goes on where it was."""
    with transaction.atomic():
        connection = _locked(connection)
        was = connection.state
        old = secret_of(connection)
        old.pop("offered", None)
        Credential.store(connection, {**old, **account.secret}, user)
        connection.settings = {**account.settings, **connection.settings}
        connection.state = _state_after(connection, was)
        connection.reason = connection.last_error = ""
        if account.account_id != connection.account_id and account.account_id:
            accounts.named(connection, account.account_id)
            connection.first_account = connection.first_account or account.account_id
        connection.account_id = account.account_id or connection.account_id
        connection.account_label = account.label or connection.account_label
        connection.connected_at, connection.connected_by = timezone.now(), user
        connection.failures, connection.failing_since, connection.retry_at = 0, None, None
        connection.save()
        # It is over with this moment; the next look at everything tells so by mail.
        Alarm.objects.filter(connection=connection, kind=Alarm.Kind.RECONNECT, cleared_at=None).update(cleared_at=Now())
        _remember(connection, was, f"{connection} ({account.label})")
        if connection.state == State.ACTIVE:
            jobs.nudge(connection)


def _state_after(connection: Connection, was: str) -> str:
    """Where it goes on: after Disconnect, and before the first Sync, the settings are reviewed (again)."""
    provider = all_providers()[connection.provider]
    if Can.KEY in provider.can:
        return State.ACTIVE  # there is nothing to review; what it does is switched on one by one
    has_run = connection.runs.filter(confirmed_at__isnull=False).exists()
    goes_on = was != State.NOT_CONNECTED and has_run and provider.is_set_up(connection.settings)
    return State.ACTIVE if goes_on else State.SETUP


def offer(connection: Connection, account: Account, user: User) -> None:
    """Hold another account's grant, encrypted, until the person has said whether they mean it."""
    held = {
        "account_id": account.account_id, "label": account.label, "secret": dict(account.secret),
        "settings": dict(account.settings), "at": time.time(),
    }  # fmt: skip
    with transaction.atomic():
        _locked(connection)  # the grant in use may be renewed at this moment
        Credential.store(connection, {**secret_of(connection), "offered": held}, user)


def offered(connection: Connection) -> Account | None:
    """The account that waits for an answer, unless it has waited too long."""
    held = secret_of(connection).get("offered")
    if not held or time.time() - held["at"] > OFFER_LIVES:
        return None
    return Account(held["account_id"], held["label"], held["secret"], held["settings"])


def decline(connection: Connection, user: User) -> None:
    """Forget the other account's grant."""
    with transaction.atomic():
        _locked(connection)
        kept = secret_of(connection)
        kept.pop("offered", None)
        if kept:
            Credential.store(connection, kept, user)
        else:
            Credential.objects.filter(connection=connection).delete()


def connect_another(connection: Connection, account: Account, user: User) -> None:
    """Start over with another account: what we knew of the old one says nothing about it. The history stays."""
    stop_listening(connection)
    with transaction.atomic():
        connection = _locked(connection)
        runs.leave_account(connection, f"{connection} was connected to another account by {user}."[:300])
        switching.turn_all_off(connection)
        Credential.objects.filter(connection=connection).delete()
        RemoteRecord.objects.filter(connection=connection).delete()
        ListCheck.objects.filter(connection=connection).delete()
        connection.settings, connection.brake, connection.hook_key_hash = {}, {}, ""
        connection.first_account = connection.first_account or connection.account_id
        connection.account_id, connection.state = "", State.NOT_CONNECTED
        connection.save()
        connect(connection, account, user)


def disconnect(connection: Connection, user: User) -> None:
    """Stop pushing and erase the grant; what was sent stays on record (L4)."""
    stop_listening(connection)
    with transaction.atomic():
        connection = _locked(connection)
        was = connection.state
        runs.stop_all(connection, f"{connection} was disconnected by {user}."[:300])
        switching.turn_all_off(connection)
        Credential.objects.filter(connection=connection).delete()
        connection.state = State.NOT_CONNECTED
        connection.reason = f"Disconnected by {user} on {timezone.localtime():%B %-d, %Y}."[:300]
        connection.listen_error = ""
        connection.save(update_fields=["state", "reason", "listen_error"])
        _remember(connection, was, str(connection))


def _locked(connection: Connection) -> Connection:
    return Connection.objects.select_for_update().get(pk=connection.pk)


def _remember(connection: Connection, was: str, label: str) -> None:
    """An entry in the history: who connected or disconnected what."""
    HistoryEntry.by_actor(
        verb=HistoryEntry.Verb.CHANGED, what="integration", label=label[:250],
        changes={"state": [State(was).label, connection.get_state_display()]},
    ).save()  # fmt: skip


# --- settings ---


def moves_people(connection: Connection, new: dict[str, Any]) -> bool:
    """Whether these settings put people somewhere else at the vendor than where earlier Syncs put them (L24)."""
    provider = all_providers()[connection.provider]
    if connection.state != State.ACTIVE or not provider.is_set_up(connection.settings):
        return False
    return provider.policy(connection.settings) != provider.policy(new)


def too_many(connection: Connection, settings: Any, room: int | None, lists: int) -> dict[str, int] | None:
    """If each list is a place of its own under these settings (L24), and there is room for fewer than are to be made:
    how many."""
    is_shared = all_providers()[connection.provider].policy(settings).container
    if is_shared or room is None or lists <= room:
        return None
    return {"lists": lists, "room": room, "left": lists - room}


def without_place(connection: Connection) -> int:
    """How many synchronized lists have no place of their own at the vendor."""
    rows = RemoteRecord.objects.filter(connection=connection, kind=RemoteRecord.Kind.LIST)
    known: Any = rows.values_list("subject_uid", "known")
    placed = {uid for uid, there in known if f"list:{uid}" in there.get("ids", {})}
    return len(set(ContactList.objects.filter(synchronize=True).values_list("uid", flat=True)) - placed)


def save_settings(connection: Connection, new: dict[str, Any]) -> None:
    """Keep the choices; a connection that waited for them is ready for its first Sync."""
    with transaction.atomic():
        connection = _locked(connection)
        was, before = connection.state, connection.settings
        connection.settings = new
        if connection.state == State.SETUP and all_providers()[connection.provider].is_set_up(new):
            connection.state = State.READY
        connection.save(update_fields=["settings", "state"])
        HistoryEntry.by_actor(
            verb=HistoryEntry.Verb.CHANGED, what="integration settings", label=str(connection)[:250],
            changes=_changes(before | {"state": State(was).label}, new | {"state": State(connection.state).label}),
        ).save()  # fmt: skip


def _changes(before: dict[str, Any], new: dict[str, Any]) -> dict[str, list[Any]]:
    """{what: [before, after]} of choices, one level deep, for the history."""
    old, now = ({
        f"{key} {part}".strip(): value
        for key, given in choices.items()
        for part, value in (given.items() if isinstance(given, dict) else [("", given)])
    } for choices in (before, new))  # fmt: skip
    return {key: [old.get(key), now.get(key)] for key in now if old.get(key) != now.get(key)}
