"""A program with a key, for tests of OSDI."""

import json
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from contacts.models import Contact, EmailAddress
from contacts.tenancy import keys
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from tests.factories import ContactFactory

BASE = "/api/v2"
NOBODY = "00000000-0000-4000-8000-000000000000"
SMITH = {
    "family_name": "Smith", "given_name": "John", "postal_addresses": [{"postal_code": "20009"}],
    "email_addresses": [{"address": "jsmith@mail.com"}], "phone_numbers": [{"number": "2021234444"}],
}  # fmt: skip
# As the document of the record donation helper has it.
DONATION: dict[str, Any] = {
    "recipients": [{"display_name": "Campaign To Elect Tom", "amount": "3.00"}],
    "created_date": "2013-01-01T00:00:00Z", "person": SMITH, "add_tags": ["donor", "member"],
    "remove_tags": ["inactive"],
}  # fmt: skip


class Program:
    """Calls the API with its key; without one, it is a form on a website."""

    def __init__(self, tenant: Tenant | None, *scopes: str) -> None:
        self.secret = ""
        if tenant:
            with in_tenant(tenant):
                self.token, self.secret = keys.issue("Donation page", set(scopes or ("osdi",)), None)
        self.client = Client(raise_request_exception=False)

    def call(self, method: str, path: str, body: Any = None, query: Any = None, **headers: str) -> Any:
        """`path` begins after /api/v2, or is a whole address as a link has it."""
        path = path.partition(BASE)[2] if BASE in path else path
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        sent = ({"OSDI-API-Token": self.secret} if self.secret else {}) | headers
        content_type = sent.pop("Content-Type", "application/json")
        return self.client.generic(
            method, BASE + path, content if body is not None else "", content_type, headers=sent, query_params=query
        )

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any = None, query: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, query, **headers)

    def put(self, path: str, body: Any, query: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, body, query, **headers)

    def page(self, title: str = "Save the river", **values: Any) -> str:
        """The path of a new fundraising page."""
        answer = said(self.post("/fundraising_pages", {"title": title, "origin_system": "Tests"} | values))
        return f"/fundraising_pages/{uid_in(answer)}"

    def give(self, page: str, query: Any = None, **values: Any) -> Any:
        """A donation by the helper."""
        return self.post(f"{page}/donations", DONATION | values, query)


def said(response: Any, status: int = 200) -> dict[str, Any]:
    """The body of an answer with this status."""
    assert response.status_code == status, (response.status_code, response.content)
    wanted = "application/hal+json" if status < 400 else "application/json"
    assert response["Content-Type"] == wanted, response["Content-Type"]
    body: dict[str, Any] = response.json()
    return body


def error(response: Any, status: int = 400) -> str:
    """The sentence of an error; there is nothing else in it."""
    body = said(response, status)
    assert list(body) == ["error"] and body["error"], body
    return str(body["error"])


def uid_in(body: dict[str, Any]) -> str:
    """Our id in an answer."""
    found = str(body["identifiers"][0])
    assert found.startswith("action_network:")
    return found.removeprefix("action_network:")


def embedded(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources on a page, which its links name in the same order."""
    ((rel, rows),) = body["_embedded"].items()
    assert [row["_links"]["self"] for row in rows] == body["_links"][rel]
    return list(rows)


def somebody(tenant: Tenant, email: str = "ana@rivermail.test", **values: Any) -> Contact:
    """A contact, such as staff add one."""
    with in_tenant(tenant):
        found: Contact = ContactFactory(email=email, **values)
        assert not email or EmailAddress.objects.filter(contact=found).exists()
        return found


def when(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]
