"""A program with a key, for tests of the video app's API."""

import itertools
import json
from typing import Any

from django.test import Client

from contacts.tenancy import keys
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant

BASE = "/api/video/v1"
_numbers = itertools.count(1)


class Program:
    """Calls the API with its key, and a new Idempotency-Key for each write unless one is given."""

    def __init__(self, tenant: Tenant, *scopes: str, secret: str = "", **values: Any) -> None:
        with in_tenant(tenant):
            self.token, made = keys.issue("Video app", set(scopes or ("video",)), None, **values)
        self.secret = secret or made
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(BASE + path, query, headers={"Authorization": f"Bearer {self.secret}"})

    def post(self, path: str, body: Any, key: str | None = None, **headers: str) -> Any:
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        sent = {"Authorization": f"Bearer {self.secret}"} | headers
        key = f"test-{next(_numbers)}" if key is None else key
        if key:
            sent["Idempotency-Key"] = key
        return self.client.post(BASE + path, content, content_type="application/json", headers=sent)


def problem(response: Any, status: int, kind: str = "") -> dict[str, Any]:
    """The body of a problem with this status (RFC 9457)."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status and body["title"] and body["detail"]
    assert not kind or body["type"] == f"urn:almoner:problem:{kind}"
    return body
