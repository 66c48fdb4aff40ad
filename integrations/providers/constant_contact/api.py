"""One call to Constant Contact's V3 API, through the gate, with a fresh token; and the reading of pages by their links.

An expired token is renewed and the call repeated, once. Links are followed as they come: they hold the question.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.conf import settings

from integrations.provider_kit.errors import Ambiguous, CallFailed, Reconnect, Refused, Retry
from integrations.provider_kit.gate import Gate
from integrations.provider_kit.http import Answer, Http
from integrations.providers.constant_contact.answers import FORBIDDEN, UUID, classify, key_of, told

PAGE = 500  # the vendor's largest
TOO_LITTLE = "The Constant Contact user who allowed access may not change contacts and lists there any more."
SWITCHED_OFF = "Constant Contact has switched off this installation's application key. Tell its operator."


class NamedRefusal(CallFailed):
    """A refusal whose text names a contact."""

    def __init__(self, outcome: Refused, contact_id: str) -> None:
        super().__init__(outcome)
        self.contact_id = contact_id


class Api:
    """The line to one account. `token` gives the access token, `renewed` another one than that which was refused."""

    def __init__(
        self, token: Callable[[], str], renewed: Callable[[str], str] | None = None, gate: Gate | None = None,
        is_urgent: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self.http = Http("Constant Contact", settings.CONSTANT_CONTACT_API_URL)
        self.gate, self.is_urgent = gate, is_urgent
        self._token, self._renewed = token, renewed

    def close(self) -> None:
        """Hang up."""
        self.http.close()

    def call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, json: Any = None,
        patience: float = 30.0, may_be_empty: bool = False,
    ) -> Any:  # fmt: skip
        """What Constant Contact answered, {} for an empty answer. `path` begins with /v3. Raises `CallFailed`.

        Where something should have come, an empty answer is none: a vendor in trouble gives those, too.
        """
        token = self._token()
        answer = self._send(token, method, path, query, json, patience)
        if answer.status == 401 and self._renewed is not None:
            answer = self._send(self._renewed(token), method, path, query, json, patience)
        if answer.status not in (200, 201, 202, 204):
            raise self._failure(answer, method)
        if answer.status == 204 or (may_be_empty and not answer.body):
            return {}
        if isinstance(answer.json, dict | list):
            return answer.json
        sentence = "Constant Contact gave no clear answer."
        raise CallFailed(Retry(sentence) if method == "GET" else Ambiguous(sentence))

    def page(self, link: str, path: str, key: str, **query: Any) -> tuple[list[dict[str, Any]], str]:
        """A page of a collection and the link to the next one, "" at the end. `link` as it came, "" to begin."""
        content = self.call("GET", link) if link else self.call("GET", path, query={"limit": PAGE, **query})
        following = str(((content.get("_links") or {}).get("next") or {}).get("href") or "")
        # Only a path of this API: where a link leads, the token goes.
        return content.get(key) or [], following if following.startswith("/v3/") else ""

    def pages(self, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a collection."""
        link, is_done = "", False
        while not is_done:
            rows, link = self.page(link, path, key, **query)
            yield from rows
            is_done = not link

    def _send(
        self, token: str, method: str, path: str, query: Mapping[str, Any] | None, json: Any, patience: float
    ) -> Answer:
        if self.gate is not None:
            self.gate.pass_through(self.is_urgent())
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.call(method, path, query=query, json=json, headers=headers, patience=patience)

    def _failure(self, answer: Answer, method: str) -> CallFailed:
        outcome = self._trouble(answer, method)
        named = UUID.search(told(answer.json)) if answer.status == 409 and isinstance(outcome, Refused) else None
        return NamedRefusal(outcome, named[0]) if named else CallFailed(outcome)

    def _trouble(self, answer: Answer, method: str) -> Any:
        if answer.status == 429 and self.gate is not None:
            # Of the second, or of the day; everybody with this application key has to know.
            is_day = key_of(answer.json) == "quota_exceeded"
            return self.gate.used_up() if is_day else self.gate.throttled(answer.retry_after)
        outcome = classify(answer, writes=method != "GET")
        return Reconnect(self._why_forbidden()) if outcome == Reconnect(FORBIDDEN) else outcome

    def _why_forbidden(self) -> str:
        """Which of the three causes it is: the application, its user's rights, or the scope of the permission."""
        try:
            answer = self._send(self._token(), "GET", "/v3/account/user/privileges", None, None, 10.0)
        except CallFailed:
            return FORBIDDEN
        if answer.status == 403:
            return SWITCHED_OFF
        rights = {str(row.get("privilege_name")) for row in answer.json or [] if isinstance(row, dict)}
        return FORBIDDEN if answer.status != 200 or {"contacts:write", "contacts:lists:write"} <= rights else TOO_LITTLE
