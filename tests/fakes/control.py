"""Control addresses under ``/_sandbox/``: look inside, misbehave, act as a person, start over.

They are for tests and demo scripts, need no credentials and never meet a fault.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from tests.fakes.faults import KINDS, Faults

if TYPE_CHECKING:
    from tests.fakes.sandbox import Sandbox


def respond(sandbox: Sandbox, request: Request) -> Response:
    name = request.path.removeprefix("/_sandbox").strip("/")
    handler = HANDLERS.get((request.method, name))
    if handler is None:
        known = [f"{method} /_sandbox/{path}" for method, path in HANDLERS]
        return as_json({"error": "No such control address.", "known": known}, 404)
    try:
        wish = json.loads(request.get_data() or b"{}") if request.method == "POST" else dict(request.args)
        if not isinstance(wish, dict):
            return as_json({"error": "Send a JSON object."}, 400)
        return as_json(handler(sandbox, wish))
    except (ValueError, TypeError, KeyError) as error:
        return as_json({"error": str(error)}, 400)


def as_json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content), status, content_type="application/json; charset=utf-8")


def health(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    return {"vendor": sandbox.key, "ready": True}


def calls(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    return sandbox.calls.since(int(wish.get("since", 0)))


def clear_calls(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    sandbox.calls.clear()
    return {"ok": True}


def state(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    return sandbox.state(wish)


def deliveries(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    """Webhook attempts, oldest first."""
    return sandbox.courier.last(int(wish.get("last", 200)))[::-1]


def settle(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    """Wait until every webhook call has been delivered or given up."""
    return {"settled": sandbox.courier.settle(float(wish.get("timeout_s", 10)))}


def faults(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    sandbox.faults = Faults.from_json(wish)
    return show_faults(sandbox, wish)


def show_faults(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    return {**sandbox.faults.as_json(), "known_kinds": KINDS}


def options(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    """Switch what is unconfirmed about the vendor; unknown names are refused."""
    known = {field.name for field in dataclasses.fields(sandbox.options)}
    if unknown := set(wish) - known:
        raise ValueError(f"Unknown options: {', '.join(sorted(unknown))}. Known: {', '.join(sorted(known))}")
    for name, value in wish.items():
        setattr(sandbox.options, name, value)
    return dataclasses.asdict(sandbox.options)


def show_options(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    return dataclasses.asdict(sandbox.options)


def clock(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    """Set the sandbox's clock ahead of the real one, in seconds."""
    sandbox.clock_ahead_s = float(wish.get("ahead_s", 0))
    return {"ahead_s": sandbox.clock_ahead_s, "now": sandbox.now()}


def redirects(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    """Register one more address the OAuth app may send people back to."""
    sandbox.register_redirect(str(wish["uri"]))
    return {"ok": True}


def act(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    return {"ok": True, **sandbox.act(wish)}


def reset(sandbox: Sandbox, wish: dict[str, Any]) -> Any:
    sandbox.faults = Faults()
    sandbox.clock_ahead_s = 0.0
    sandbox.courier.clear()
    sandbox.reset()
    sandbox.calls.clear()
    sandbox.changed()
    return {"ok": True}


Handler = Callable[["Sandbox", dict[str, Any]], Any]
HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "health"): health,
    ("GET", "state"): state,
    ("GET", "calls"): calls,
    ("DELETE", "calls"): clear_calls,
    ("GET", "deliveries"): deliveries,
    ("GET", "faults"): show_faults,
    ("POST", "faults"): faults,
    ("GET", "options"): show_options,
    ("POST", "options"): options,
    ("POST", "clock"): clock,
    ("POST", "settle"): settle,
    ("POST", "redirects"): redirects,
    ("POST", "act"): act,
    ("POST", "reset"): reset,
}
