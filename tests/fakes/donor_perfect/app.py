"""The sandbox DonorPerfect as a whole: one address, whose key it is, what is asked, and the answer's wording.

Below it: keys, params and signatures read a call; grammar and select carry out SQL; procedures save; shown words the
answer; deeds is what staff do in the vendor's own pages, and pages shows it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.fakes.donor_perfect import acts, inside, keys, pages, persist, procedures, select, shown
from tests.fakes.donor_perfect.errors import NOT_AUTHORIZED, Problem, not_allowed, not_supplied
from tests.fakes.donor_perfect.options import Options
from tests.fakes.donor_perfect.seed import seed
from tests.fakes.donor_perfect.state import Account
from tests.fakes.kept import KeptSandbox

PATH = "/prod/xmlrequest.asp"
IIS = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\r\n<html><head><title>The page cannot be displayed</title>'
    "</head><body><h1>The page cannot be displayed</h1><p>The page cannot be displayed because an internal server "
    "error has occurred.</p></body></html>"
)


class DonorPerfectSandbox(KeptSandbox[Account]):
    """Start it with ``running(DonorPerfectSandbox())``; ``issued_key("river")`` is what the vendor would mail."""

    key = "donor_perfect"
    title = "Sandbox DonorPerfect"
    options: Options

    def __init__(
        self, *, options: Options | None = None, state_dir: Path | str | None = None, latency_ms: float = 0.0
    ) -> None:
        # The user of a key is exempt from the limit of simultaneous users.
        super().__init__(options or Options(), state_dir=state_dir, latency_ms=latency_ms, connections=1_000)
        self.load()

    def issued_key(self, login: str = "river") -> str:
        """The key as the vendor mails it: percent-encoded already."""
        return keys.issued(self.accounts[login].key)

    # -- what the base asks for ---------------------------------------------------------------

    def is_api(self, path: str) -> bool:
        return path.lower() == PATH

    def identify(self, request: Request) -> str:
        try:
            return keys.owner(self._query(request), self.accounts, self.options.unknown_key).login
        except Problem:
            return ""

    def answer(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            return page(405)
        if self.options.unknown_key == "page" and not self.identify(request):
            return page()
        try:
            account = keys.owner(self._query(request), self.accounts, self.options.unknown_key)
            return worded(self.work(account, request))
        except Problem as problem:
            return worded(problem.document() if not self.options.hide_errors else without_error(problem))

    def work(self, account: Account, request: Request) -> str:
        """The XML that answers a call of this account."""
        given = request.args if request.method == "GET" else request.form
        action = given.get("action") or request.args.get("action") or ""
        if not action.strip():
            raise not_supplied("xmlrequest", "action")
        with account.lock:
            if not action.replace("_", "").isalnum():
                found = select.run(account.database, action, self.options.most_rows)
                return shown.rows(found.columns, found.rows, self.options)
            if action.upper() == "SELECT":
                raise not_allowed()
            answer = procedures.run(account, action, given.get("params") or "", self.options, self.now())
        if action.lower().startswith("dp_save"):
            self.account_changed(account)
        return answer

    def page(self, request: Request) -> Response:
        return pages.respond(self, request)

    def problem(self, kind: str) -> Response:
        """A vendor in trouble: a page of its web server."""
        return page({"429": 429, "connections": 429, "401": 401}.get(kind, 500))

    def register_redirect(self, uri: str) -> None:
        """Nobody is sent anywhere: there is a key, and no OAuth."""

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

    def reindex(self) -> None:
        """Keys are looked up as they are."""

    def loggable_query(self, request: Request) -> str:
        return keys.shown(self._query(request))

    def _query(self, request: Request) -> str:
        return request.query_string.decode("latin-1")


def worded(document: str) -> Response:
    return Response(document, 200, content_type="text/xml")


def page(status: int = 200) -> Response:
    return Response(IIS, status, content_type="text/html")


def without_error(problem: Problem) -> str:
    """The envelope alone."""
    return Problem(problem.reason or NOT_AUTHORIZED).document()
