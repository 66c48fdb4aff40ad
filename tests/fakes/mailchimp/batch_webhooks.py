"""Batch webhooks: addresses told when a batch is finished. At most 20, checked with GET, never signed."""

from __future__ import annotations

from typing import Any

from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import bad_request, invalid, not_found
from tests.fakes.mailchimp.paging import page
from tests.fakes.mailchimp.webhooks import verify

SCHEMA = "BatchWebhooks/Instance"
MOST = 20
FIELDS = {"url": s.text(), "enabled": s.boolean}
POST = s.shape(FIELDS, required=("url",))
PATCH = s.shape(FIELDS)


def index(call: Call) -> Answer:
    rows, total = page(call, list(call.account.batch_webhooks.values()), dict)
    return Answer({"webhooks": rows, "total_items": total}, "BatchWebhooks/Collection")


def create(call: Call) -> Answer:
    wish = call.body(POST)
    hooks = call.account.batch_webhooks
    if len(hooks) >= MOST:
        raise bad_request(f"You can have at most {MOST} batch webhooks.")
    if any(each["url"] == wish["url"] for each in hooks.values()):
        raise invalid("url", "Sorry, you can't set up multiple WebHooks for one URL")
    verify(call, wish["url"])
    hook_id = call.account.next_id("batch webhook")
    hooks[hook_id] = {"id": hook_id, "url": wish["url"], "enabled": wish.get("enabled", True)}
    return Answer(dict(hooks[hook_id]), SCHEMA)


def read(call: Call, hook_id: str) -> Answer:
    return Answer(dict(the_hook(call, hook_id)), SCHEMA)


def patch(call: Call, hook_id: str) -> Answer:
    hook = the_hook(call, hook_id)
    wish = {key: value for key, value in call.body(PATCH).items() if key in FIELDS}
    if wish.get("url", hook["url"]) != hook["url"]:
        verify(call, wish["url"])
    hook.update(wish)
    return Answer(dict(hook), SCHEMA)


def delete(call: Call, hook_id: str) -> Answer:
    del call.account.batch_webhooks[the_hook(call, hook_id)["id"]]
    return Answer()


def the_hook(call: Call, hook_id: str) -> dict[str, Any]:
    if hook := call.account.batch_webhooks.get(hook_id):
        return hook
    raise not_found()


ROUTES = [
    ("GET", "/batch-webhooks", index),
    ("POST", "/batch-webhooks", create),
    ("GET", "/batch-webhooks/<hook_id>", read),
    ("PATCH", "/batch-webhooks/<hook_id>", patch),
    ("DELETE", "/batch-webhooks/<hook_id>", delete),
]
