"""Public clients work unchanged: the calls of parsons 6.1.0 and osdi 0.3.1, to the letter (O1, O14)."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from contacts.models import Contact
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from tests.factories import ContactFactory
from tests.gifts.osdi import Program, error, said

pytestmark = pytest.mark.django_db
ROOT = "http://127.0.0.1:8000/api/v2"


class Connector:
    """What both have in common: their headers, and an error for every status that they do not expect."""

    def __init__(self, secret: str, token_header: str) -> None:
        self.client, self.headers = Client(), {token_header: secret}

    def call(self, method: str, url: str, data: str = "", params: Any = None) -> Any:
        path = url.partition("127.0.0.1:8000")[2]
        sent = {name: value for name, value in (params or {}).items() if value is not None}
        return self.client.generic(
            method, path, data, "application/json", headers=self.headers, query_params=sent or None
        )


class Parsons(Connector):
    """`parsons.action_network.ActionNetwork`, as far as it concerns this API."""

    def entries(self, name: str, **query: Any) -> list[Any]:
        """`_get_entry_list`: counts pages up until one is empty, and takes the first key of `_embedded`."""
        page, found = 1, list[Any]()
        while True:
            params = {"page": page, "per_page": 25, "filter": None} | query
            response = said(self.call("GET", f"{ROOT}/{name}", params=params))
            page += 1
            rows = response["_embedded"][next(iter(response["_embedded"]))]
            if not rows:
                return found
            found.extend(rows)

    def upsert_person(self, **person: Any) -> dict[str, Any]:
        data = {"person": person | {"custom_fields": {}}, "add_tags": ["x"]}
        params = {"background_processing": "true"}
        answer = said(self.call("POST", f"{ROOT}/people", json.dumps(data), params))
        identifiers = answer["identifiers"]
        [entry_id] = [re.sub("action_network:", "", one) for one in identifiers if "action_network:" in one]
        return answer | {"entry_id": entry_id}


@pytest.fixture
def parsons(tenant: Tenant) -> Parsons:
    return Parsons(Program(tenant).secret, "OSDI-API-Token")


def test_O14_parsons_reads_everybody_and_stops(tenant: Tenant, parsons: Parsons) -> None:
    with in_tenant(tenant):
        for _ in range(53):
            ContactFactory()
    assert len({row["identifiers"][0] for row in parsons.entries("people")}) == 53
    for name in ("donations", "tags", "fundraising_pages"):
        assert parsons.entries(name) == []
    with in_tenant(tenant):
        ana = ContactFactory(email="ana@rivermail.test")
    (found,) = parsons.entries("people", filter="email_address eq 'ana@rivermail.test'")
    assert found["identifiers"] == [f"action_network:{ana.uid}"]
    assert parsons.entries(f"people/{ana.uid}/donations") == parsons.entries(f"people/{ana.uid}/taggings") == []


def test_O14_parsons_writes_people_tags_and_pages(tenant: Tenant, parsons: Parsons) -> None:
    phones = [{"number": 5035550142, "primary": True}]
    added = parsons.upsert_person(email_addresses=[{"address": "pat@rivermail.test"}], phone_numbers=phones)
    assert added["created_date"] == added["modified_date"]
    uid = added["entry_id"]
    put = said(parsons.call("PUT", f"{ROOT}/people/{uid}", json.dumps({"given_name": "Pat"})))
    assert put["given_name"] == "Pat"
    parsons.upsert_person(email_addresses=[{}], phone_numbers=phones)
    tag = said(parsons.call("POST", f"{ROOT}/tags", json.dumps({"name": "volunteer"})))
    tag_id = tag["identifiers"][0].split(":")[1]
    payload = {"_links": {"osdi:person": {"href": f"https://actionnetwork.org/api/v2/people/{uid}"}}}
    tagging = said(parsons.call("POST", f"{ROOT}/tags/{tag_id}/taggings", json.dumps(payload)))
    tagging_id = tagging["identifiers"][0].split(":")[1]
    assert len(parsons.entries(f"tags/{tag_id}/taggings")) == 1
    said(parsons.call("DELETE", f"{ROOT}/tags/{tag_id}/taggings/{tagging_id}"))
    page = said(parsons.call("POST", f"{ROOT}/fundraising_pages", params={"title": "T", "origin_system": "parsons"}))
    page_id = page["identifiers"][0].split(":")[1]
    form = parsons.call("PUT", f"{ROOT}/fundraising_pages/{page_id}", "summary=hello&title=x")
    assert error(form) == "The body is not valid JSON in UTF-8."
    lost = {"recipients": ["display_name", "amount"], "person": ["email_addresses"]}
    error(parsons.call("POST", f"{ROOT}/fundraising_pages/{page_id}/donations", params=lost))
    with in_tenant(tenant):
        assert Contact.objects.get().first_name == "Pat"


class Osdi(Connector):
    """`osdi.action_network.ActionNetworkService`: sends a JSON body with everything, follows `next` while a page is
    full, and reads a body even from a deletion."""

    def ask(self, method: str, url: str, data: Any = None, params: Any = None) -> Any:
        url = url if url.startswith("http") else f"{ROOT}/{url}"
        return said(self.call(method, url, json.dumps(data), params))

    def all(self, name: str, url: str = "", params: Any = None) -> list[Any]:
        response = self.ask("GET", url or name.partition(":")[2], params=params)
        if response.get("total_pages") == 0:
            return []
        found = list(response["_embedded"][name])
        while (
            len(response["_embedded"][name]) >= response["per_page"]
            and len(found) < response.get("total_records", 10**9)
            and "next" in response["_links"]
        ):
            response = self.ask("GET", response["_links"]["next"]["href"])
            found += response["_embedded"][name]
        return found


def test_O14_osdi_reads_everybody_by_next_and_finds_tags_and_fields(tenant: Tenant) -> None:
    service = Osdi(Program(tenant).secret, "OSDI-API-TOKEN")
    assert service.all("osdi:tags") == []
    with in_tenant(tenant):
        for _ in range(52):
            ContactFactory(last_name="Ruiz")
    assert len({row["identifiers"][0] for row in service.all("osdi:people")}) == 52
    member = {
        "given_name": "Ola", "family_name": "Nordmann", "email_addresses": [{"address": "ola@rivermail.test"}],
        "languages_spoken": ["en"], "custom_fields": {"Employer": "Acme"},
    }  # fmt: skip
    person = service.ask("POST", "people", {"person": member})
    own_id = next(one for one in person["identifiers"] if "action" in one).split(":")[-1]
    query = {"filter": "given_name eq 'Ola'andfamily_name eq 'Nordmann'"}
    (found,) = service.all("osdi:people", params=query)
    assert found["custom_fields"] == {"Employer": "Acme"}
    assert service.all("osdi:taggings", found["_links"]["osdi:taggings"]["href"]) == []
    tag = service.ask("POST", "tags", {"name": "volunteer"})
    link = {"_links": {"osdi:person": {"href": f"{ROOT}/people/{own_id}"}}}
    service.ask("POST", f"{tag['_links']['self']['href']}/taggings", link)
    (tagging,) = service.all("osdi:taggings", found["_links"]["osdi:taggings"]["href"])
    assert tagging["_links"]["osdi:tag"]["href"].split("/")[-1] == tag["_links"]["self"]["href"].split("/")[-1]
    assert "notice" in service.ask("DELETE", tagging["_links"]["self"]["href"])
    service.ask("PUT", f"people/{own_id}", {"custom_fields": {"Employer": "River"}})
    assert service.ask("GET", f"people/{own_id}")["custom_fields"] == {"Employer": "River"}
