"""Hearing from Mailchimp: its webhooks (made, mended, checked, read) and the reading of everybody who opted out.

A message is a hint: who is meant is looked up afterwards, so a lost, repeated or late one does no harm.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from integrations.provider_kit.base import Heard
from integrations.provider_kit.errors import CallFailed, Refused
from integrations.provider_kit.states import Member, Standing
from integrations.providers.mailchimp.api import PAGE, Api, hash_of
from integrations.providers.mailchimp.members import SHOWN, Container, seen

EVENTS = {"subscribe": True, "unsubscribe": True, "profile": True, "cleaned": True, "upemail": True, "campaign": False}
SOURCES = {"user": True, "admin": True, "api": False}  # not our own writes back to us
OLDEST = 300  # seconds
SIGNATURE = re.compile(r"t=(\d{1,12}),(.+)")
LOOKED_AT = ",".join([*SHOWN, "timestamp_opt"])
LEFT = ("unsubscribed", "cleaned", "archived")
OVERLAP = 20  # rows of a page that the next one shows again: meanwhile some may have gone, and the others moved up
FORGOTTEN = "forgotten.mailchimp.com"  # the placeholder of somebody who was erased there
TOLD = {
    "subscribe": "Mailchimp reported a subscription.",
    "unsubscribe": "Mailchimp reported that somebody unsubscribed or was archived.",
    "profile": "Mailchimp reported changed details.",
    "cleaned": "Mailchimp reported an address that bounced.",
    "upemail": "Mailchimp reported a changed address.",
}


def listen(api: Api, url: str, audiences: Iterable[str], held: Mapping[str, Any]) -> dict[str, Any]:
    """One webhook on each audience. `held` and what comes back: {audience: {"id", "secret"}}."""
    return {audience: _one_webhook(api, url, audience, held.get(audience) or {}) for audience in audiences}


def _one_webhook(api: Api, url: str, audience: str, held: Mapping[str, Any]) -> dict[str, Any]:
    path = ("lists", audience, "webhooks")
    there = api.call("GET", *path, query={"count": 1000}).get("webhooks") or []
    ours = [hook for hook in there if hook.get("url") == url or hook.get("id") == held.get("id")]
    kept = next((hook for hook in ours if hook.get("id") == held.get("id")), None)
    for hook in ours:
        if hook is not kept:
            # Its secret was shown to nobody who kept it, so its messages could not be checked: a new one is made.
            _forget(api, *path, str(hook["id"]))
    wanted = {"url": url, "events": EVENTS, "sources": SOURCES}
    if kept is None:
        made = api.call("POST", *path, json=wanted)
        return {"id": str(made["id"]), "secret": str(made.get("signing_secret") or "")}
    if any(kept.get(key) != value for key, value in wanted.items()):
        api.call("PATCH", *path, str(kept["id"]), json=wanted)
    return dict(held)


def stop_listening(api: Api, held: Mapping[str, Any]) -> None:
    """Delete the webhooks that we made; somebody waits for the page, so a vendor that is down is not waited for."""
    for audience, hook in held.items():
        _forget(api, "lists", audience, "webhooks", str(hook["id"]), patience=5)


def _forget(api: Api, *path: str, patience: float = 30) -> None:
    try:
        api.call("DELETE", *path, patience=patience)
    except CallFailed as failure:
        if getattr(failure.outcome, "code", "") != "not_found":
            raise


def is_genuine(headers: Mapping[str, str], body: bytes, held: Mapping[str, Any]) -> bool:
    """Whether the signature fits, for an audience whose webhook is signed; others are known by the address alone."""
    fields = dict(parse_qsl(body.decode("utf-8", "replace")))
    secret = (held.get(fields.get("data[list_id]", "")) or {}).get("secret")
    if not secret:
        return True
    match = SIGNATURE.fullmatch(headers.get("X-Mailchimp-Signature", ""))
    if match is None or abs(time.time() - int(match[1])) > OLDEST:
        return False
    fitting = hmac.new(secret.encode(), match[1].encode() + b"." + body, hashlib.sha256).hexdigest()
    given = [part.removeprefix("v1=").strip() for part in match[2].split(",") if part.strip().startswith("v1=")]
    return any(hmac.compare_digest(fitting.encode(), each.encode()) for each in given)


def hear(body: str) -> Heard:
    """What a message means: whom to look at. Archived, deleted, unsubscribed, changed: all are seen by looking."""
    fields = dict(parse_qsl(body))
    kind = fields.get("type", "")
    named = (fields.get(f"data[{key}]", "").strip() for key in ("new_email", "email", "old_email"))
    addresses = tuple(dict.fromkeys(filter(None, named)))
    if kind not in TOLD:
        return Heard("ignore", sentence="Not about a person.")
    if not addresses or any(address.lower().endswith(FORGOTTEN) for address in addresses):
        return Heard("ignore", sentence="About somebody who was erased at Mailchimp.")
    is_complaint = fields.get("data[reason]") == "abuse"  # of an unsubscribe, or of a cleaned address
    where = f"audience:{fields.get('data[list_id]', '')}"
    return Heard("look", where, addresses, sentence=TOLD[kind], is_complaint=is_complaint)


def opt_outs_page(api: Api, where: Container, cursor: str) -> tuple[list[Member], str]:
    """A page of those who are unsubscribed, then of those who are cleaned, then of those who are archived in an
    audience: of these only `look` tells whether they had unsubscribed before. Cursor: status and offset."""
    status, _, offset = (cursor or f"{LEFT[0]}:0").partition(":")
    fields = ",".join(f"members.{name}" for name in SHOWN)
    asked = {"count": PAGE, "offset": int(offset), "fields": fields, "status": status}
    rows = api.call("GET", "lists", where.audience, "members", query=asked).get("members") or []
    if len(rows) == PAGE:
        following = f"{status}:{int(offset) + PAGE - OVERLAP}"
    else:
        others = LEFT[LEFT.index(status) + 1 :]
        following = f"{others[0]}:0" if others else ""
    return [seen(row, where) for row in rows], following


def look(api: Api, where: Container, address: str, remote_id: str) -> Member | None:
    """One member, by the id that survives a change of address if we have it, else by the address."""
    for key in filter(None, (remote_id, hash_of(address) if address else "")):
        try:
            row = api.call("GET", "lists", where.audience, "members", key, query={"fields": LOOKED_AT})
        except CallFailed as failure:
            if getattr(failure.outcome, "code", "") != "not_found":
                raise
        else:
            return as_they_left(api, where, row) if row.get("status") == "archived" else seen(row, where)
    return None


def as_they_left(api: Api, where: Container, row: Mapping[str, Any]) -> Member:
    """An archived member does not show any more that they had unsubscribed before; what they did there tells (L35)."""
    member = seen(row, where)
    asked = {"activity_filters": "unsub", "count": 1}
    path = ("lists", where.audience, "members", hash_of(member.address), "activity-feed")
    try:
        acts = api.call("GET", *path, query=asked).get("activity") or []
    except CallFailed as failure:
        if isinstance(failure.outcome, Refused):
            return member
        raise
    if acts and acts[0].get("is_admin_unsubscribed") is False:
        came_back = str(row.get("timestamp_opt") or "") > str(acts[0].get("created_at_timestamp") or "")
        return member if came_back else member.but(standing=Standing.UNSUBSCRIBED)
    return member
