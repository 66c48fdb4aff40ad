"""One call to Mailchimp's Marketing API 3.0, and the reading of long collections page by page."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from django.conf import settings

from integrations.provider_kit.errors import Ambiguous, CallFailed, Reconnect, Retry
from integrations.provider_kit.http import Answer, Http
from integrations.providers.mailchimp.answers import classify

PAGE = 1000  # the vendor's largest
DATA_CENTRE = re.compile(r"[a-z]{2,3}\d{1,2}")


class Api:
    """The line to one account. Reads what it needs once, so that several threads may call."""

    def __init__(self, token: str, data_centre: str) -> None:
        if not DATA_CENTRE.fullmatch(data_centre):
            raise CallFailed(Reconnect("It is not known where this Mailchimp account lives. Connect again."))
        base = settings.MAILCHIMP_API_URL.format(dc=data_centre) + "/3.0"
        self.http = Http("Mailchimp", base, {"Authorization": f"Bearer {token}"})

    def close(self) -> None:
        """Hang up."""
        self.http.close()

    def call(
        self, method: str, *path: str, query: Mapping[str, Any] | None = None, json: Any = None, patience: float = 30.0
    ) -> dict[str, Any]:
        """What Mailchimp answered, {} for an empty answer. Raises `CallFailed`."""
        where = "/" + "/".join(quote(part, safe="") for part in path)
        answer = self.http.call(method, where, query=query, json=json, patience=patience)
        if answer.status == 204:
            return {}
        if answer.status != 200:
            raise CallFailed(classify(answer, writes=method != "GET"))
        return _document(answer, method)

    def pages(self, *path: str, key: str, fields: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a collection. One that moves meanwhile may show a row twice or skip it."""
        offset = 0
        while True:
            asked = {"count": PAGE, "offset": offset, "fields": fields, **query}
            rows = self.call("GET", *path, query=asked).get(key) or []
            yield from rows
            if len(rows) < PAGE:
                return
            offset += PAGE


def _document(answer: Answer, method: str) -> dict[str, Any]:
    if isinstance(answer.json, dict):
        return answer.json
    sentence = "Mailchimp gave no clear answer."
    raise CallFailed(Retry(sentence) if method == "GET" else Ambiguous(sentence))


def hash_of(address: str) -> str:
    """How Mailchimp names a person in a path: the MD5 of the address in lower case."""
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()
