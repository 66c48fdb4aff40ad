"""A short way to call the sandbox DonorPerfect, with plain requests underneath."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import quote

import requests

from tests.fakes import DonorPerfectSandbox

CONTACT = (
    "@contact_id={id},@donor_id={donor},@activity_code='TE',@mailing_code=null,@by_whom=null,"
    "@contact_date='11/22/2026',@due_date=null,@due_time=null,@completed_date='11/22/2026',@comment={comment},"
    "@document_path=null,@user_id='Almoner'"
)


class Api:
    """The call as one account makes it."""

    def __init__(self, sandbox: DonorPerfectSandbox, login: str = "river") -> None:
        self.sandbox, self.login, self.key = sandbox, login, sandbox.issued_key(login)
        self.fixtures = sandbox.account(login).fixtures

    def raw(self, action: str, params: str | None = None, *, key: str | None = None, post: bool = False) -> Any:
        url = f"{self.sandbox.url}/prod/xmlrequest.asp?apikey={self.key if key is None else key}"
        asked = {"action": action} | ({"params": params} if params is not None else {})
        if post:
            return requests.post(url, data=asked, timeout=20)
        rest = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())
        return requests.get(f"{url}&{rest}", timeout=20)

    def call(self, action: str, params: str | None = None, **more: Any) -> str:
        answer = self.raw(action, params, **more)
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/xml"), answer.text
        return str(answer.content.decode("utf-8"))

    def rows(self, query: str, **more: Any) -> list[dict[str, str]]:
        """The rows of a SELECT, read strictly; a refusal fails the test."""
        tree = ET.fromstring(self.call(query, **more))
        assert tree.find("field") is None and tree.find("error") is None, ET.tostring(tree)
        return [{f.attrib["name"]: f.attrib["value"] for f in row} for row in tree.iter("record")]

    def refusal(self, action: str, params: str | None = None, **more: Any) -> tuple[str, str]:
        """The reason and the error of a refusal; an answer fails the test."""
        tree = ET.fromstring(self.call(action, params, **more))
        assert tree.find("record") is None and len(tree), ET.tostring(tree)
        envelope = tree.find("field")
        if envelope is not None:
            assert (envelope.get("name"), envelope.get("value")) == ("success", "false")
        return ("" if envelope is None else envelope.get("reason") or ""), tree.findtext("error") or ""

    def saved(self, action: str, params: str, **more: Any) -> int:
        (row,) = self.rows(action, params=params, **more)
        assert list(row) == [""]
        return int(row[""])

    def comment(self, comment: str = "'hello'", number: int = 0, donor: int = 0) -> str:
        """The params of an interaction; `comment` as it is written there."""
        donor = donor or self.fixtures["apostrophe"]
        return CONTACT.format(id=number, donor=donor, comment=comment)

    def act(self, action: str, **more: Any) -> dict[str, Any]:
        return dict(self.control("act", {"as": "holder", "action": action, "account": self.login, **more}))

    def control(self, path: str, wish: Any = None) -> Any:
        url = f"{self.sandbox.url}/_sandbox/{path}"
        answer = requests.get(url, timeout=20) if wish is None else requests.post(url, json=wish, timeout=20)
        assert answer.ok, answer.text
        return answer.json()
