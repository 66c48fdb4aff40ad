"""The OpenAPI document of OSDI says what it does, and whatever is made of it breaks nothing (O1, O12, O14)."""

import json
import os
from typing import Any

import jsonschema
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from contacts.models import ContactTag, Tag
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.osdi.document import document
from gifts.api.osdi.examples import examples
from gifts.api.osdi.urls import ADDRESSES
from tests.gifts.osdi import Program, said, uid_in

pytestmark = pytest.mark.django_db
FEW = 4
EXAMPLES = int(os.environ.get("OSDI_EXAMPLES", FEW))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def program(tenant: Tenant, settings: Any) -> Program:
    settings.API_CALLS_PER_MINUTE = settings.API_CALLS_PER_MINUTE_ORGANIZATION = 1_000_000
    return Program(tenant)


@pytest.fixture
def ids(tenant: Tenant, program: Program) -> dict[str, str]:
    """Of one of each."""
    with in_tenant(tenant):
        Tag.objects.create(name="donor")
    donation = said(program.give(program.page()))
    with in_tenant(tenant):
        tagging = ContactTag.objects.select_related("tag").get()
    return {
        "person": donation["action_network:person_id"], "page": donation["action_network:fundraising_page_id"],
        "donation": uid_in(donation), "tag": str(tagging.tag.uid), "tagging": str(tagging.uid),
    }  # fmt: skip


@pytest.fixture
def api(ids: dict[str, str]) -> Any:
    """The document, read from the application itself, which leaves the test’s database open. It comes last: the test
    client closes it again."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    # The phase that tries every member in every wrong way takes minutes for bodies as deep as these; WRONG in
    # test_osdi_donations.py and BROKEN in test_osdi_wire.py are its like. With OSDI_EXAMPLES=100 it is there, too.
    config = SchemathesisConfig()
    config.projects.default.phases.coverage.enabled = EXAMPLES > FEW
    yield schemathesis.openapi.from_wsgi("/api/osdi/openapi.json", get_wsgi_application(), config=config)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


schema = schemathesis.pytest.from_fixture("api")


@pytest.mark.once
@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_O14_nothing_that_the_document_allows_or_forbids_breaks_the_api(
    case: Any, program: Program, ids: dict[str, str]
) -> None:
    for name in case.path_parameters or {}:
        case.path_parameters[name] = ids[name]  # what is there: elsewhere all would be 404
    response = case.call(headers={"OSDI-API-Token": program.secret})
    case.validate_response(response, checks=CHECKS)


def validated(content: Any, schema: dict[str, Any]) -> None:
    """Raises if it is not as the schema says."""
    components = schema | {"components": document()["components"]}
    jsonschema.Draft202012Validator(components).validate(content)


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """(path, method, call)."""
    return [(path, name, call) for path, methods in document()["paths"].items() for name, call in methods.items()]


def answer_of(call: dict[str, Any]) -> Any:
    return call["responses"]["200"]["content"]["application/hal+json"]


def test_O14_every_example_is_what_its_schema_says() -> None:
    known = {call["operationId"] for _, _, call in operations()}
    assert examples().keys() <= known and len(known - examples().keys()) == 3
    for _, _, call in operations():
        if "example" in answer_of(call):
            validated(answer_of(call)["example"], answer_of(call)["schema"])
        if "requestBody" in call:
            sent = call["requestBody"]["content"]["application/json"]
            validated(sent["example"], sent["schema"])
    with pytest.raises(jsonschema.ValidationError):
        validated({"recipients": [{"display_name": "Tom", "amount": 3}]}, {"$ref": "#/components/schemas/NewDonation"})


def test_O14_real_answers_are_what_the_document_says(program: Program, ids: dict[str, str]) -> None:
    for path, method, call in operations():
        for name, uid in ids.items():
            path = path.replace(f"{{{name}}}", uid)
        if method == "get":
            validated(said(program.get(path)), answer_of(call)["schema"])
    validated(program.get("/people", page="x").json(), {"$ref": "#/components/schemas/Error"})


def test_O12_every_example_of_a_call_works_as_it_stands(program: Program, ids: dict[str, str]) -> None:
    for path, method, call in operations():
        for name, uid in ids.items():
            path = path.replace(f"{{{name}}}", uid)
        if "requestBody" in call:
            body = call["requestBody"]["content"]["application/json"]["example"]
            if "osdi:person" in str(body):
                body = {"_links": {"osdi:person": {"href": f"/people/{ids['person']}"}}}
            validated(said(program.call(method.upper(), path, body)), answer_of(call)["schema"])


def test_O14_the_document_is_public_says_3_1_and_names_every_address() -> None:
    said = Client().get("/api/osdi/openapi.json").json()
    assert said["openapi"] == "3.1.0" and said["paths"].keys() == {path or "/" for path in ADDRESSES}
    assert json.dumps(said)


def test_O14_the_page_to_try_it_needs_nothing_from_elsewhere() -> None:
    page = Client().get("/api/osdi/try")
    text = page.content.decode()
    assert page.status_code == 200 and "almoner/try.js" in text and 'data-base="/api/v2"' in text
    assert "<script>" not in text and 'src="http' not in text
    assert "script-src 'self'" in page["Content-Security-Policy"]
