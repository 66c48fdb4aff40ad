"""The sandbox Mailchimp as a whole: finds the account, the endpoint, and words the answer.

Below it: members, bulk, lists, segments, tags, merge_fields, webhooks, batches and account hold
the endpoints; writing.py changes members; oauth.py and pages.py are what a person sees.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from tests.fakes.kept import KeptSandbox
from tests.fakes.mailchimp import (
    account,
    acts,
    batch_results,
    batch_webhooks,
    batches,
    bulk,
    inside,
    lists,
    member_listing,
    members,
    merge_fields,
    pages,
    persist,
    segments,
    tags,
    webhooks,
)
from tests.fakes.mailchimp.batch_work import Batch
from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import GLOSSARY, Problem, bad_request, not_found
from tests.fakes.mailchimp.hooks import Telling
from tests.fakes.mailchimp.oauth import OAuth
from tests.fakes.mailchimp.options import Options
from tests.fakes.mailchimp.paging import chosen_fields
from tests.fakes.mailchimp.seed import seed
from tests.fakes.mailchimp.state import Account
from tests.fakes.mailchimp.wire import answered, credential, overridden, worded

API = re.compile(r"/(?:(?P<dc>us\d+)/)?3\.0(?P<rest>/.*)?")
PARTS = (account, lists, bulk, member_listing, members, tags, merge_fields, segments, webhooks, batches, batch_webhooks)
ROUTES = Map(
    [Rule(path, endpoint=endpoint, methods=[method]) for part in PARTS for method, path, endpoint in part.ROUTES],
    strict_slashes=False,
    merge_slashes=False,
).bind("sandbox")


class MailchimpSandbox(KeptSandbox[Account]):
    """Start it with ``running(MailchimpSandbox())``."""

    key = "mailchimp"
    title = "Sandbox Mailchimp"
    options: Options

    def __init__(
        self,
        *,
        redirect_uris: Sequence[str] = (),
        options: Options | None = None,
        client_id: str = "almoner-sandbox",
        client_secret: str = "almoner-sandbox-secret",
        state_dir: Path | str | None = None,
        latency_ms: float = 0.0,
        connections: int = 10,
    ) -> None:
        super().__init__(options or Options(), state_dir=state_dir, latency_ms=latency_ms, connections=connections)
        self.oauth = OAuth(self, client_id, client_secret, list(redirect_uris))
        self.owners: dict[str, Account] = {}  # API key or access token -> account
        self.load()

    # -- for tests ----------------------------------------------------------------------------

    def grant(self, login: str = "river") -> str:
        """An access token, as if the account holder had pressed Allow."""
        return self.oauth.new_token(self.accounts[login])

    def register_redirect(self, uri: str) -> None:
        """Let the OAuth app send people back to this address."""
        if uri not in self.oauth.redirect_uris:
            self.oauth.redirect_uris.append(uri)

    def api_url(self, login: str = "river") -> str:
        return f"{self.url}/{self.accounts[login].dc}/3.0"

    # -- what the base asks for ---------------------------------------------------------------

    def is_api(self, path: str) -> bool:
        return API.fullmatch(path) is not None or path in ("/oauth2/token", "/oauth2/metadata")

    def meets_faults(self, path: str) -> bool:
        """Connecting stays possible in a storm, unless a fault asks for these very paths."""
        return not path.startswith("/oauth2/") or "oauth2" in self.faults.path

    def identify(self, request: Request) -> str:
        owner = self.owners.get(credential(request))
        return owner.login if owner else ""

    def answer(self, request: Request) -> Response:
        if request.path.startswith("/oauth2/"):
            return self.oauth.answer(request)
        instance = str(uuid.uuid4())
        try:
            call = self.read_call(request)
            found = self.dispatch(call)
            content = found.payload
            if content is not None and call.method == "GET":
                content = chosen_fields(call.query, content)
        except Problem as problem:
            return worded(problem, instance, request.host_url)
        return answered(found, content, instance, request.host_url, call.account.dc)

    def page(self, request: Request) -> Response:
        if request.path.startswith("/oauth2/"):
            return self.oauth.page(request)
        if request.path.startswith("/batch-results/"):
            return batch_results.download(self, request)
        return pages.respond(self, request)

    def problem(self, kind: str) -> Response:
        names = {"401": "APIKeyInvalid", "429": "TooManyRequests", "connections": "TooManyRequests"}
        return worded(GLOSSARY[names.get(kind, "InternalServerError")], str(uuid.uuid4()), f"{self.url}/")

    def act(self, wish: dict[str, Any]) -> dict[str, Any]:
        return acts.perform(self, wish)

    def state(self, query: dict[str, str]) -> dict[str, Any]:
        return inside.everything(self, query)

    def seeded(self) -> dict[str, Account]:
        return seed(self.options, self.telling)

    def written(self, account: Account) -> dict[str, Any]:
        return persist.account_to_json(account)

    def read(self, data: dict[str, Any]) -> Account:
        return persist.account_from_json(data, lambda each: Batch(**each))

    def reset(self) -> None:
        super().reset()
        self.oauth.forget()

    # -- calls --------------------------------------------------------------------------------

    def read_call(self, request: Request) -> Call:
        match = API.fullmatch(request.path)
        rest = (match["rest"] if match else "") or "/"
        who = self.authenticate(request, match["dc"] if match else None)
        if trigger := request.headers.get("X-Trigger-Error"):
            raise GLOSSARY.get(trigger) or bad_request("There is no error of this name to trigger.")
        return Call(
            self,
            who,
            overridden(request),
            rest,
            request.args.to_dict(),
            request.get_data(),
            request.host_url,
            request.remote_addr or "",
        )

    def authenticate(self, request: Request, dc: str | None) -> Account:
        secret = credential(request)
        if not secret:
            raise GLOSSARY["APIKeyMissing"]
        who = self.owners.get(secret)
        if who is None or (dc or who.dc) != who.dc or (dc is None and not self.options.unified_host):
            raise GLOSSARY["APIKeyInvalid"]
        if who.disabled:
            raise GLOSSARY["UserDisabled"]
        return who

    def dispatch(self, call: Call) -> Answer:
        """Find the endpoint and let it work, one call of an account at a time."""
        try:
            endpoint, parts = ROUTES.match(call.path, call.method)
        except MethodNotAllowed as error:
            problem = GLOSSARY["MethodNotAllowed"]
            allow = ", ".join(sorted(set(error.valid_methods or ()) - {"HEAD"}))
            raise Problem(problem.status, problem.title, problem.detail, allow=allow) from None
        except (NotFound, HTTPException):
            raise not_found() from None
        with call.account.lock:
            call.now = int(self.now())
            found: Answer = endpoint(call, **parts)
        if call.method != "GET":
            self.account_changed(call.account)
        return found

    def perform(self, call: Call) -> tuple[int, dict[str, Any] | None]:
        """A call out of a batch: its status and its JSON."""
        try:
            found = self.dispatch(call)
        except Problem as problem:
            return problem.status, problem.document(str(uuid.uuid4()))
        return (204 if found.payload is None else 200), found.payload

    # -- shared by the parts ------------------------------------------------------------------

    def telling(self, who: Account) -> Telling:
        return Telling(who, self.courier, self.options, self.now)

    def reindex(self) -> None:
        """Find owners by secret again, after tokens came or went."""
        owners: dict[str, Account] = {}
        for each in self.accounts.values():
            owners |= dict.fromkeys([*each.tokens, *filter(None, [each.api_key])], each)
        self.owners = owners
