"""One call to DonorPerfect: reads by GET, or by POST when they are long; writes always by POST.

The key stands in the address, which is why addresses are never logged, kept or quoted, here or in http.py.
"""

import time

from django.conf import settings

from integrations.provider_kit.errors import Ambiguous, CallFailed, Reconnect, Refused, Retry
from integrations.provider_kit.http import Answer, Http
from integrations.providers.donor_perfect import wire
from integrations.providers.donor_perfect.answers import IN_DOUBT, UNCLEAR, WRONG_KEY, content_of
from integrations.providers.donor_perfect.damaged import Record

PATH = "/prod/xmlrequest.asp"
LONGEST_ADDRESS = 1_800  # clients keep to 2,048 and more; nothing is published
TRIVIAL = "SELECT TOP 1 donor_id FROM dp"


class Api:
    """The line to one account of DonorPerfect's; one call at a time."""

    def __init__(self, key: str) -> None:
        if not key.strip().isascii() or not key.strip().isprintable() or " " in key.strip() or not key.strip():
            raise CallFailed(Reconnect(WRONG_KEY))
        self.http = Http("DonorPerfect", settings.DONOR_PERFECT_URL)
        self._key = wire.key_as_sent(key)
        self._next_at = 0.0

    def close(self) -> None:
        """Hang up."""
        self.http.close()

    def select(self, query: str) -> list[Record]:
        """The rows of a SELECT, 500 at most: more are cut off there without a word. Raises `CallFailed`."""
        try:
            return content_of(self._send(query), writes=False).records
        except CallFailed as problem:
            raise self._cleared(problem) from None

    def save(self, procedure: str, values: dict[str, wire.Value]) -> int:
        """Call a procedure that saves: the new row's number, or 0 for a change. Raises `CallFailed`.

        An answer without a row is ambiguous: it may have been saved (sections 4.2 and 5).
        """
        try:
            content = content_of(self._send(procedure, wire.parameters(values), writes=True), writes=True)
        except CallFailed as problem:
            raise self._cleared(problem) from None
        if content.is_refusal:
            return 0  # it is so already
        number = next(iter(content.records[0].values.values()), "").strip() if content.records else ""
        if not number.isdecimal():
            raise CallFailed(Ambiguous(UNCLEAR))
        return int(number)

    def try_key(self) -> None:
        """The simplest call there is. Refused without a reason, it is the key that is refused. Raises `CallFailed`."""
        try:
            content_of(self._send(TRIVIAL), writes=False)
        except CallFailed as problem:
            is_the_key = isinstance(problem.outcome, Refused)
            raise (CallFailed(Reconnect(WRONG_KEY)) if is_the_key else problem) from None

    def _cleared(self, problem: CallFailed) -> CallFailed:
        """What a refusal without a reason was about: the key, when even the simplest call is refused."""
        if not isinstance(problem.outcome, Refused) or problem.outcome.code != IN_DOUBT:
            return problem
        try:
            self.try_key()
        except CallFailed as doubt:
            # Nothing was done, so that it may be tried again.
            return doubt if isinstance(doubt.outcome, Reconnect) else CallFailed(Retry(doubt.outcome.sentence))
        return CallFailed(Refused("refused", problem.outcome.sentence))

    def _send(self, action: str, params: str | None = None, *, writes: bool = False) -> Answer:
        self._take_turns()
        asked = {"action": action} | ({"params": params} if params is not None else {})
        rest = "&".join(f"{name}={wire.encoded(value)}" for name, value in asked.items())
        address = f"{PATH}?apikey={self._key}"
        if not writes and len(address) + len(rest) < LONGEST_ADDRESS:
            return self.http.call("GET", f"{address}&{rest}")
        try:
            return self.http.call("POST", address, form=asked)
        except CallFailed as problem:
            if writes or not isinstance(problem.outcome, Ambiguous):
                raise
            # A long read: repeating it does no harm.
            raise CallFailed(Retry(problem.outcome.sentence)) from None

    def _take_turns(self) -> None:
        """No quota is published: a short pause between calls keeps us a good guest (section 12)."""
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        self._next_at = time.monotonic() + settings.DONOR_PERFECT_PAUSE_SECONDS
