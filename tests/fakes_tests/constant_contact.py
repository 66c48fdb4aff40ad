"""A short way to call the sandbox Constant Contact, with plain requests underneath."""

from __future__ import annotations

import time
from typing import Any

import requests

from tests.fakes import ConstantContactSandbox

JOE, ANN, NOBODY = "joe@rivermail.test", "ann@rivermail.test", "11111111-2222-4333-8444-555555555555"
CALLBACK = "http://127.0.0.1:8000/oauth/callback"


class Api:
    """The API as one account sees it; ``list`` is the id of its first list."""

    def __init__(self, sandbox: ConstantContactSandbox, login: str = "river") -> None:
        self.sandbox, self.login = sandbox, login
        self.list = next(iter(sandbox.account(login).lists))
        self.session = requests.Session()
        self.use(sandbox.grant(login)["access_token"])

    def use(self, token: str) -> None:
        self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, json: Any = None, **query: Any) -> requests.Response:
        return self.session.request(method, f"{self.sandbox.url}/v3{path}", json=json, params=query, timeout=20)

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, **query).json()

    def post(self, path: str, json: Any = None) -> requests.Response:
        return self.call("POST", path, json)

    def put(self, path: str, json: Any = None) -> requests.Response:
        return self.call("PUT", path, json)

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", path)

    # -- people ---------------------------------------------------------------------------------

    def add(self, email: str = JOE, *, lists: list[str] | None = None, **more: Any) -> str:
        """A new contact; its id."""
        body = {
            "create_source": "Account",
            "email_address": {"address": email, "permission_to_send": more.pop("permission", "implicit")},
            "list_memberships": [self.list] if lists is None else lists,
            **more,
        }
        answer = self.post("/contacts", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["contact_id"])

    def change(self, contact_id: str, permission: str = "", source: str = "Account", **more: Any) -> requests.Response:
        """A PUT that keeps the address."""
        address = self.held(contact_id)["email_address"]["address"]
        email = {"address": address} | ({"permission_to_send": permission} if permission else {})
        return self.put(f"/contacts/{contact_id}", {"update_source": source, "email_address": email, **more})

    def held(self, contact_id: str) -> dict[str, Any]:
        """All that the API tells of a contact."""
        every = "custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes"
        return dict(self.get(f"/contacts/{contact_id}", include=every))

    def permission(self, contact_id: str) -> str:
        return str(self.held(contact_id)["email_address"]["permission_to_send"])

    def addresses(self, **query: Any) -> list[str]:
        return [each["email_address"]["address"] for each in self.get("/contacts", limit=500, **query)["contacts"]]

    def new_list(self, name: str) -> str:
        answer = self.post("/contact_lists", {"name": name})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["list_id"])

    # -- activities -----------------------------------------------------------------------------

    def run(self, kind: str, body: Any) -> dict[str, Any]:
        """A bulk activity, to its end."""
        answer = self.post(f"/activities/{kind}", body)
        assert answer.status_code == 201, answer.text
        return self.ended(answer.json())

    def ended(self, activity: dict[str, Any]) -> dict[str, Any]:
        for _ in range(200):
            found = requests.get(
                self.sandbox.url + activity["_links"]["self"]["href"], headers=self.session.headers, timeout=20
            )
            if found.json()["state"] not in ("initialized", "processing"):
                return dict(found.json())
            time.sleep(0.005)
        raise AssertionError("the activity did not end")

    def imported(self, *rows: dict[str, Any], lists: list[str] | None = None) -> dict[str, int]:
        """The counters of an import."""
        body = {"import_data": list(rows), "list_ids": lists or [self.list]}
        return dict(self.run("contacts_json_import", body)["status"])

    # -- control --------------------------------------------------------------------------------

    def act(self, role: str, action: str, **more: Any) -> dict[str, Any]:
        return dict(self.control("act", {"as": role, "action": action, "account": self.login, **more}))

    def control(self, path: str, wish: Any = None) -> Any:
        url = f"{self.sandbox.url}/_sandbox/{path}"
        answer = requests.get(url, timeout=20) if wish is None else requests.post(url, json=wish, timeout=20)
        assert answer.ok, answer.text
        return answer.json()


def errors(answer: requests.Response, status: int, key: str = "contacts.api.validation.error") -> str:
    """The messages of an answer that refuses by an array."""
    assert answer.status_code == status, answer.text
    found = answer.json()
    assert isinstance(found, list) and {each["error_key"] for each in found} == {key}, found
    return "; ".join(each["error_message"] for each in found)
