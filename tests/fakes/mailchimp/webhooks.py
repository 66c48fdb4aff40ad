"""Webhooks of an audience: kept only if the receiver answers a GET with 200."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.delivery import call as call_receiver
from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import invalid, not_found
from tests.fakes.mailchimp.hooks import EVENTS, SOURCES
from tests.fakes.mailchimp.shown import show_webhook
from tests.fakes.mailchimp.state import Audience, Webhook

SCHEMA = "Lists/Webhooks/Instance"
MOST = 20
FIELDS: dict[str, s.Rule] = {
    "url": s.text(),
    "events": s.shape(dict.fromkeys(EVENTS, s.boolean)),
    "sources": s.shape(dict.fromkeys(SOURCES, s.boolean)),
}
POST = s.shape(FIELDS, required=("url",))
PATCH = s.shape(FIELDS)


def index(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    shown = [show_webhook(audience, hook) for hook in audience.webhooks.values()]
    content = {"webhooks": shown, "list_id": list_id, "total_items": len(shown)}
    return Answer(content, "Lists/Webhooks/Collection")


def create(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    wish = call.body(POST)
    check_url(call, audience, wish["url"])
    if len(audience.webhooks) >= MOST:
        raise invalid("url", f"A list can have at most {MOST} webhooks.")
    hook = Webhook(
        id=call.account.next_id("webhook"),
        url=wish["url"],
        events=complete(EVENTS, wish.get("events", {})),
        sources=complete(SOURCES, wish.get("sources", {})),
        signing_secret=secrets.token_hex(32) if call.account.signed_webhooks else "",
    )
    audience.webhooks[hook.id] = hook
    return Answer(show_webhook(audience, hook, created=True), SCHEMA)


def read(call: Call, list_id: str, hook_id: str) -> Answer:
    audience = call.audience(list_id)
    return Answer(show_webhook(audience, the_hook(audience, hook_id)), SCHEMA)


def patch(call: Call, list_id: str, hook_id: str) -> Answer:
    audience = call.audience(list_id)
    hook = the_hook(audience, hook_id)
    wish = call.body(PATCH)
    if "url" in wish and wish["url"] != hook.url:
        check_url(call, audience, wish["url"], but=hook)
        hook.url = wish["url"]
    hook.events = {**hook.events, **wish.get("events", {})}
    hook.sources = {**hook.sources, **wish.get("sources", {})}
    hook.enabled = True
    return Answer(show_webhook(audience, hook), SCHEMA)


def delete(call: Call, list_id: str, hook_id: str) -> Answer:
    audience = call.audience(list_id)
    del audience.webhooks[the_hook(audience, hook_id).id]
    return Answer()


def the_hook(audience: Audience, hook_id: str) -> Webhook:
    if hook := audience.webhooks.get(hook_id):
        return hook
    raise not_found()


def complete(names: tuple[str, ...], wish: dict[str, Any]) -> dict[str, bool]:
    """What was not named is off."""
    return {name: bool(wish.get(name, False)) for name in names}


def check_url(call: Call, audience: Audience, url: str, but: Webhook | None = None) -> None:
    def without_query(each: str) -> str:
        return each.partition("?")[0].rstrip("/")

    others = [hook for hook in audience.webhooks.values() if hook is not but]
    if any(without_query(hook.url) == without_query(url) for hook in others):
        raise invalid("url", "Sorry, you can't set up multiple WebHooks for one URL")
    verify(call, url)


def verify(call: Call, url: str) -> None:
    """Ask the receiver, without holding the account: it may call back meanwhile."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("url", "Please provide a valid URL.")
    with call.unlocked():
        status = call_receiver(url, headers={"User-Agent": "MailChimp.com WebHook Validator"})
    if status != 200:
        message = f"We couldn't verify the URL is working. Please double check and try again. HTTP Code: {status}"
        raise invalid("url", message)


ROUTES = [
    ("GET", "/lists/<list_id>/webhooks", index),
    ("POST", "/lists/<list_id>/webhooks", create),
    ("GET", "/lists/<list_id>/webhooks/<hook_id>", read),
    ("PATCH", "/lists/<list_id>/webhooks/<hook_id>", patch),
    ("DELETE", "/lists/<list_id>/webhooks/<hook_id>", delete),
]
