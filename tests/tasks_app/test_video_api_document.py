"""The OpenAPI document says what the API does, and whatever is made of it breaks nothing (T9)."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.services import record_gift
from tasks_app.api.document import document
from tasks_app.api.examples import EXAMPLES
from tasks_app.models import ThankYou
from tests.factories import ContactFactory
from tests.tasks_app.api import BASE, Program
from tests.tasks_app.people import staff

pytestmark = pytest.mark.django_db
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def program(tenant: Tenant, settings: Any) -> Program:
    settings.API_CALLS_PER_MINUTE = settings.API_CALLS_PER_MINUTE_ORGANIZATION = 1_000_000
    with in_tenant(tenant):
        staff("Stella Novak")
        for _ in range(3):
            record_gift(ContactFactory(phone="+15035550123"), 10, date(2026, 5, 1), comment="For the river")
    return Program(tenant)


@pytest.fixture
def api(program: Program) -> Any:
    """The document, read from the application itself, which leaves the test's database open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi(f"{BASE}/openapi.json", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


schema = schemathesis.pytest.from_fixture("api")


@pytest.mark.once
@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_T9_nothing_that_the_document_allows_or_forbids_breaks_the_api(case: Any, program: Program) -> None:
    response = case.call(headers={"Authorization": f"Bearer {program.secret}"})
    case.validate_response(response, checks=CHECKS)
    with in_tenant(program.token.tenant):
        assert ThankYou.objects.count() >= 3


def validated(content: Any, name: str) -> None:
    """Raises if it is not as the schema of this name says."""
    components = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    jsonschema.Draft202012Validator(components).validate(content)


def schema_of(operation: dict[str, Any]) -> str:
    good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    return str(good["content"]["application/json"]["schema"]["$ref"]).rpartition("/")[2]


def test_T9_every_example_is_what_its_schema_says(program: Program) -> None:
    operations = [each for methods in document()["paths"].values() for each in methods.values()]
    assert {each["operationId"] for each in operations} == EXAMPLES.keys()
    for operation in operations:
        example = EXAMPLES[operation["operationId"]]
        validated(example["answer"], schema_of(operation))
        if "request" in example:
            form = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            validated(example["request"], form)
    with pytest.raises(jsonschema.ValidationError):
        validated({"video_id": 7}, "Sent")


def test_T9_the_document_is_public_says_3_1_and_names_every_address() -> None:
    answer = Client().get(f"{BASE}/openapi.json")
    said = answer.json()
    assert answer.status_code == 200 and said["openapi"] == "3.1.0"
    assert set(said["webhooks"]) == {"task.created", "task.changed", "test"}
    known = {path.replace("{id}", "<uuid:uid>") for path in said["paths"]}
    resolver: Any = next(each for each in get_resolver().url_patterns if getattr(each, "namespace", "") == "video_api")
    there = {f"/{each.pattern}" for each in resolver.url_patterns} - {"/openapi.json", "/try"}
    assert known == there


def test_T9_the_page_to_try_it_needs_nothing_from_elsewhere() -> None:
    page = Client().get(f"{BASE}/try")
    text = page.content.decode()
    assert page.status_code == 200 and "almoner/try.js" in text
    assert "<script>" not in text and 'src="http' not in text and "unpkg" not in text
    assert "script-src 'self'" in page["Content-Security-Policy"]


def test_T9_real_answers_are_what_the_document_says(program: Program) -> None:
    page = program.get("/tasks").json()
    validated(page, "TaskPage")
    validated(program.get("/staff").json(), "Staff")
    path = f"/tasks/{page['results'][0]['id']}"
    body = {"event_id": "e", "at": "2026-05-02T12:00:00Z", "seconds": 3}
    validated(program.post(f"{path}/watched", body).json(), "Reported")
    validated(program.get(path).json(), "Task")
    validated(program.post(f"{path}/watched", {}).json(), "Problem")
    assert json.dumps(document())


def test_T9_each_line_of_the_page_for_programmers_is_answered_and_needs_nothing_but_curl_and_python(
    program: Program, tenant: Tenant
) -> None:
    text = Path("docs/video-api.md").read_text()
    assert set(re.findall(r"\$\((\w+)", text)) == {"curl", "python3", "once", "now"}, "others may be missing"
    with in_tenant(tenant):
        member, task = staff("Stella Novak"), ThankYou.objects.earliest("pk")
        member.user.email = "stella@rivertrust.test"
        member.user.save()
    posts = re.findall(r"-d '(.+)' \"\$BASE(\S+)\"", text)
    assert len(posts) == 5
    for body, path in posts:
        body, path = (each.replace("'$TASK'", str(task.uid)).replace("$TASK", str(task.uid)) for each in (body, path))
        said = program.post(path, body.replace("'$(now)'", timezone.now().isoformat()))
        assert said.status_code in (200, 201), said.content
    for path in re.findall(r'KEY" "\$BASE(/\S+)"', text):
        assert program.get(path.replace("$TASK", str(task.uid))).status_code == 200
