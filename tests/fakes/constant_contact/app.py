"""The sandbox Constant Contact as a whole: finds the account, counts the call, and words the answer.

Below it: account, contacts, contact_listing, sign_up_form, lists and activities hold the endpoints; writing.py and
permission.py change contacts; activity_work.py does bulk work; quota.py counts; oauth.py and pages.py are what a
person sees.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from tests.fakes.constant_contact import (
    account,
    activities,
    activity_work,
    acts,
    contact_listing,
    contacts,
    errors,
    inside,
    lists,
    oauth,
    pages,
    persist,
    sign_up_form,
)
from tests.fakes.constant_contact.call import Answer, Call
from tests.fakes.constant_contact.options import Options
from tests.fakes.constant_contact.quota import Quota
from tests.fakes.constant_contact.seed import seed
from tests.fakes.constant_contact.state import Account, Contact, Grant, fold
from tests.fakes.kept import KeptSandbox

PARTS = (account, contact_listing, sign_up_form, contacts, lists, activities)
ROUTES = Map(
    [
        Rule(path, endpoint=(endpoint, needs), methods=[method])
        for part in PARTS
        for method, path, endpoint, needs in part.ROUTES
    ],
    strict_slashes=False,
    merge_slashes=False,
).bind("sandbox")
QUOTA = "quota"  # the file that it is kept in, beside the accounts
CONFIDENTIAL, PUBLIC = "almoner-sandbox", "almoner-sandbox-public"
SCOPES = ("account_read", "contact_data", "offline_access")


class ConstantContactSandbox(KeptSandbox[Account]):
    """Start it with ``running(ConstantContactSandbox())``."""

    key = "constant_contact"
    title = "Sandbox Constant Contact"
    options: Options

    def __init__(
        self,
        *,
        redirect_uris: Sequence[str] = (),
        options: Options | None = None,
        client_secret: str = "almoner-sandbox-secret",
        state_dir: Path | str | None = None,
        latency_ms: float = 0.0,
    ) -> None:
        # The vendor names no limit of simultaneous connections.
        super().__init__(options or Options(), state_dir=state_dir, latency_ms=latency_ms, connections=1_000)
        self.oauth = oauth.OAuth(self, {CONFIDENTIAL: client_secret, PUBLIC: ""}, list(redirect_uris))
        self.quota = Quota(self.options)
        self.tokens_lock = threading.RLock()
        self.by_access: dict[str, tuple[Account, Grant]] = {}
        self.by_refresh: dict[str, tuple[Account, Grant]] = {}
        self.load()

    # -- for tests ----------------------------------------------------------------------------

    def grant(self, login: str = "river", client_id: str = CONFIDENTIAL) -> dict[str, Any]:
        """What the token endpoint answers when the account holder has pressed Allow."""
        return self.oauth.new_grant(self.accounts[login], client_id, list(SCOPES))

    def register_redirect(self, uri: str) -> None:
        """Let the OAuth apps send people back to this address."""
        if uri not in self.oauth.redirect_uris:
            self.oauth.redirect_uris.append(uri)

    def login_url(self) -> str:
        return f"{self.url}{oauth.PREFIX}"

    def contact(self, address: str, login: str = "river") -> Contact | None:
        """Whoever has this address there, deleted or not, after all that is due by now."""
        held = self.accounts[login]
        with held.lock:
            activity_work.advance(held, self.now(), self.options)
            return held.by_address.get(fold(address))

    # -- what the base asks for ---------------------------------------------------------------

    def is_api(self, path: str) -> bool:
        return path.startswith("/v3/") or path == f"{oauth.PREFIX}/token"

    def meets_faults(self, path: str) -> bool:
        """Connecting stays possible in a storm, unless a fault asks for these very paths."""
        return not path.startswith("/oauth2/") or "oauth2" in self.faults.path

    def identify(self, request: Request) -> str:
        owner, _ = self.by_access.get(oauth.digest(bearer(request)), (None, None))
        return owner.login if owner else ""

    def answer(self, request: Request) -> Response:
        if request.path.startswith("/oauth2/"):
            return self.oauth.answer(request)
        try:
            found = self.dispatch(self.read_call(request), request)
        except errors.Problem as problem:
            return worded(problem)
        return answered(found)

    def page(self, request: Request) -> Response:
        if request.path.startswith("/oauth2/"):
            return self.oauth.page(request)
        return pages.respond(self, request)

    def problem(self, kind: str) -> Response:
        known = {"401": errors.unauthorized, "429": errors.throttled, "connections": errors.throttled}
        return worded(known.get(kind, errors.internal)())

    def act(self, wish: dict[str, Any]) -> dict[str, Any]:
        return acts.perform(self, wish)

    def state(self, query: dict[str, str]) -> dict[str, Any]:
        return inside.everything(self, query)

    def seeded(self) -> dict[str, Account]:
        return seed(self.options)

    def written(self, account: Account) -> dict[str, Any]:
        return persist.account_to_json(account)

    def read(self, data: dict[str, Any]) -> Account:
        return persist.account_from_json(data)

    def take_extra(self, kept: dict[str, Any]) -> None:
        if quota := kept.pop(QUOTA, None):
            self.quota.read(quota)

    def snapshot(self) -> dict[str, Any]:
        return super().snapshot() | {QUOTA: self.quota.written()}

    def reset(self) -> None:
        super().reset()
        self.oauth.forget()
        self.quota.forget()

    # -- calls --------------------------------------------------------------------------------

    def read_call(self, request: Request) -> Call:
        """Whose call it is; one with a living token counts against its application."""
        token, now = oauth.digest(bearer(request)), self.now()
        with self.tokens_lock:
            owner, grant = self.by_access.get(token, (None, None))
            if owner is None or grant is None or grant.access.get(token, 0) <= now:
                raise errors.unauthorized()
        self.quota.take(grant.client_id, now)
        self.changed()
        if self.options.application_deactivated:
            raise errors.forbidden("Your application is deactivated.")
        path = request.path.removeprefix("/v3")
        query, body = request.args.to_dict(), request.get_data()
        return Call(self, owner, grant, request.method, path, query, body, request.mimetype, now)

    def dispatch(self, call: Call, request: Request) -> Answer:
        """Find the endpoint and let it work, one call of an account at a time."""
        try:
            (endpoint, needs), parts = ROUTES.match(call.path, call.method)
        except MethodNotAllowed:
            raise errors.no_such_method() from None
        except HTTPException:
            raise errors.not_found() from None
        check_rights(call, *needs)
        with call.account.lock:
            call.now = self.now()
            moved = activity_work.advance(call.account, call.now, self.options)
            found: Answer = endpoint(call, **parts)
        if moved or call.method != "GET":
            self.account_changed(call.account)
        return found

    # -- shared by the parts ------------------------------------------------------------------

    def grants_changed(self, who: Account) -> None:
        self.reindex()
        self.account_changed(who)

    def reindex(self) -> None:
        """Find accounts by token again, after grants came or went."""
        by_access: dict[str, tuple[Account, Grant]] = {}
        by_refresh: dict[str, tuple[Account, Grant]] = {}
        for each in self.accounts.values():
            for grant in each.grants:
                by_access |= dict.fromkeys(grant.access, (each, grant))
                if grant.refresh:
                    by_refresh[grant.refresh] = (each, grant)
        self.by_access, self.by_refresh = by_access, by_refresh


def bearer(request: Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def check_rights(call: Call, scope: str, privilege: str) -> None:
    """Two of the three causes of 403: what the grant allows, and what its user may do."""
    if scope and scope not in call.grant.scopes:
        raise errors.forbidden(f"You lack the necessary scope: {scope}.")
    if privilege and privilege not in call.account.privileges:
        raise errors.forbidden(f"You lack the necessary user privilege: {privilege}.")


def worded(problem: errors.Problem) -> Response:
    return Response(json.dumps(problem.document()), problem.status, content_type="application/json")


def answered(found: Answer) -> Response:
    if found.payload is None:
        return Response(b"", found.status)
    response = Response(json.dumps(found.payload), found.status, content_type="application/json")
    if found.location:
        response.headers["Location"] = found.location
    return response
