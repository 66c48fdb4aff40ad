"""Staff at their desk: a browser without a screen, logged in with a role, and the walk over the vendor's pages."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.test import Client

from contacts.tenancy.models import Tenant, User
from tests.factories import StaffMemberFactory, UserFactory

SETUP = "/admin/integrations/setup/"
CONNECT = "/admin/integrations/setup/mailchimp/connect/"
CALLBACK = "/integrations/mailchimp/callback/"


class Desk(Client):
    """A client that is somebody, in some organization."""

    user: User

    def text(self, path: str, data: Any = None) -> str:
        """What a page says, without its tags."""
        response = self.get(path, data, follow=True)
        assert response.status_code == 200, (path, response.status_code)
        return plain(response.content.decode())


def desk(tenant: Tenant, role: str = "owner", user: User | None = None) -> Desk:
    """Somebody with this role, logged in."""
    user = user or UserFactory()
    StaffMemberFactory(tenant=tenant, role=role, user=user)
    client = Desk()
    client.force_login(user)
    client.user = user
    return client


def plain(html: str) -> str:
    """The words of a page."""
    body = re.sub(r"(?s)<(script|style|head).*?</\1>", " ", html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("&#x27;", "'").replace("&amp;", "&")


def leave_for(client: Client) -> str:
    """Press Connect; the vendor's address that one is sent to."""
    response = client.post(CONNECT)
    assert response.status_code == 200, response.status_code
    return str(response.context["url"])


def decide(address: str, login: str = "river", decision: str = "allow") -> str:
    """Sign in at the sandbox, press Allow or Cancel; the path that leads back to us."""
    asked = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
    page = requests.post(address.partition("?")[0], data={**asked, "login": login, "password": "sandbox"}, timeout=10)
    found = re.search(r'name="ticket"[^>]*value="([^"]+)"', page.text)
    assert found, page.text
    answer = requests.post(
        address.partition("/oauth2")[0] + "/oauth2/allow", data={"ticket": found[1], "decision": decision},
        allow_redirects=False, timeout=10,
    )  # fmt: skip
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def connect(client: Client, login: str = "river") -> Any:
    """The whole walk; the answer after the last redirect."""
    return client.get(decide(leave_for(client), login), follow=True)


def said(response: Any) -> str:
    """The sentences at the top of the page."""
    return " ".join(str(message) for message in response.context["messages"])
