"""A program with a key for the donors API, and rows for it."""

import json
from datetime import date
from typing import Any

from django.test import Client

from contacts.models import Contact
from contacts.tenancy import keys
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Donor
from gifts.services import record_gift
from tests.factories import ContactFactory

SCOPES = ("donors:read", "donors:write")


class Program:
    """Calls the API of one organization with its key."""

    def __init__(self, tenant: Tenant, *scopes: str) -> None:
        self.tenant = tenant
        with in_tenant(tenant):
            self.token, self.secret = keys.issue("Website", set(scopes or SCOPES), None)
        self.client = Client(raise_request_exception=False)

    def call(self, method: str, path: str = "", body: Any = None, tenant: str = "", **headers: str) -> Any:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = named.pop("content-type", "application/json")
        address = f"/donors/{tenant or self.tenant.slug}{path}"
        return self.client.generic(
            method, address, content, content_type=kind, headers={"Authorization": self.secret} | named
        )

    def read(self, uid: str, query: str = "") -> Any:
        return self.call("GET", f"/{uid}{query}")

    def create(self, contact: Contact, **values: Any) -> dict[str, Any]:
        kind = "organization" if contact.kind == Contact.Kind.ORGANIZATION else "contact"
        return good(self.call("POST", "", {"type": kind, f"{kind}_id": str(contact.uid)} | values))

    def put(self, uid: str, body: Any, **headers: str) -> Any:
        return self.call("PUT", f"/{uid}", body, **headers)

    def patch(self, uid: str, *operations: Any, **headers: str) -> Any:
        return self.call("PATCH", f"/{uid}", list(operations), **headers)

    def search(self, query: str = "", /, **criteria: Any) -> dict[str, Any]:
        return good(self.call("POST", f"/search{query}", criteria))

    def batch(self, *operations: Any, **headers: str) -> Any:
        return self.call("POST", "/batch", {"operations": list(operations)}, **headers)


def good(response: Any) -> Any:
    """The body of an answer that is 200, as everything that goes well is."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/json"
    return response.json()


def refused(response: Any, status: int, kind: str = "") -> dict[str, Any]:
    """The body of a problem with this status: problem details that have `message`, too."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status and body["title"] and body["detail"] == body["message"] != ""
    assert not kind or body["type"] == f"urn:almoner:problem:{kind}", body
    return body


def person(tenant: Tenant, **values: Any) -> Contact:
    found: Contact = ContactFactory(tenant=tenant, **values)
    return found


def organization(tenant: Tenant, name: str = "Oak Bakery", **values: Any) -> Contact:
    return person(tenant, kind="organization", organization_name=name, first_name="", last_name="", **values)


def giver(tenant: Tenant, *amounts: Any, **values: Any) -> Donor:
    """A donor by gifts of these amounts, a month apart."""
    contact = person(tenant, **values)
    with in_tenant(tenant):
        for number, amount in enumerate(amounts):
            record_gift(contact, amount, date(2025, 1 + number, 1))
        found: Donor = Donor.objects.select_related("contact").get(contact=contact)
    return found


def replace(path: str, value: Any) -> dict[str, Any]:
    """A patch operation."""
    return {"op": "replace", "path": path, "value": value}
