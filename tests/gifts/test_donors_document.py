"""The OpenAPI document of the donors API says what it does, and whatever is made of it breaks nothing (A9, A10)."""

import json
from datetime import date
from typing import Any

import jsonschema
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.urls import get_resolver
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from contacts.models import Contact, CustomField, CustomValue
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.donors.document import document
from gifts.api.donors.examples import EXAMPLES
from gifts.api.donors.members import KNOWN
from gifts.models import Donor, DonorClub, Gift
from gifts.services import record_pledge
from tests.gifts.donors_api import Program, giver, good, organization, person, replace

pytestmark = pytest.mark.django_db
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# The customer's document, member by member.
SOURCE = """id type organization_id contact_id donor_club_id date_of_last_gift total_number_of_gifts
total_amount_of_gifts pledge_balance amount_of_largest_gift donor_club_history first_name last_name name email_address
city state country job_title anonymous notes custom_field_values sys_deleted_by_id sys_version sys_created_at
sys_last_modified_at sys_created_by_id sys_last_modified_by_id sys_external_id sys_locked sys_bulk_load_pk
sys_bulk_load_at sys_bulk_load_id sys_bulk_load_record_no sys_bulk_load_source_file sys_last_bulk_data_operation_id
sys_last_bulk_data_operation_sys_version sys_directive sys_calculated_field_error sys_snapshot_base_version
sys_has_files_in_s3 sys_configuration_snapshot_id sys_last_security_context sys_calculated_field_errors""".split()


@pytest.fixture
def program(tenant: Tenant, settings: Any) -> Program:
    settings.API_CALLS_PER_MINUTE = settings.API_CALLS_PER_MINUTE_ORGANIZATION = 1_000_000
    giver(tenant, 10, "20.5")
    return Program(tenant)


@pytest.fixture
def api(program: Program) -> Any:
    """The document, read from the application itself, which leaves the test's database open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/donors/openapi.json", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


schema = schemathesis.pytest.from_fixture("api")


@pytest.mark.once
@schema.parametrize()
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_A9_nothing_that_the_document_allows_or_forbids_breaks_the_api(case: Any, program: Program) -> None:
    tenant = program.token.tenant
    with in_tenant(tenant):
        row = Donor.objects.order_by("pk").first() or giver(tenant, 10)
        contact = str(row.contact.uid)
    case.path_parameters = {**(case.path_parameters or {}), "tenantId": tenant.slug}
    if "id" in case.path_parameters and len(str(case.path_parameters["id"])) % 2:
        case.path_parameters["id"] = str(row.uid)
    if isinstance(case.body, dict) and case.body.get("contact_id"):
        case.body["contact_id"] = contact
    response = case.call(headers={"Authorization": program.secret})
    case.validate_response(response, checks=CHECKS)
    with in_tenant(tenant):
        assert Gift.objects.count() >= 2


def validated(content: Any, name: str) -> None:
    """Raises if it is not as the schema of this name says."""
    components = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    jsonschema.Draft202012Validator(components).validate(content)


def name_of(content: dict[str, Any]) -> str:
    return str(content["application/json"]["schema"]["$ref"]).rpartition("/")[2]


def test_A10_the_document_has_every_member_of_the_source() -> None:
    assert len(SOURCE) == 44 and set(SOURCE) == KNOWN
    assert set(document()["components"]["schemas"]["Donor"]["properties"]) == set(SOURCE)


def test_A10_every_example_is_what_its_schema_says() -> None:
    operations = [each for methods in document()["paths"].values() for each in methods.values()]
    assert {each["operationId"] for each in operations} == EXAMPLES.keys()
    for operation in operations:
        example = EXAMPLES[operation["operationId"]]
        validated(example["answer"], name_of(operation["responses"]["200"]["content"]))
        assert ("request" in example) == ("requestBody" in operation)
        if "request" in example:
            validated(example["request"], name_of(operation["requestBody"]["content"]))
    with pytest.raises(jsonschema.ValidationError):
        validated({"id": 7}, "Donor")


def test_A9_the_document_is_public_says_3_1_and_names_every_address() -> None:
    answer = Client().get("/api/donors/openapi.json")
    said = answer.json()
    assert answer.status_code == 200 and said["openapi"] == "3.1.0"
    resolver: Any = next(each for each in get_resolver().url_patterns if getattr(each, "namespace", "") == "donors_api")
    there = {f"/donors/{each.pattern}".replace("<str:tenant>", "{tenantId}").replace("<str:uid>", "{id}")
             for each in resolver.url_patterns}  # fmt: skip
    assert set(said["paths"]) == there


def test_A9_the_page_to_try_it_needs_nothing_from_elsewhere() -> None:
    page = Client().get("/api/donors/try")
    text = page.content.decode()
    assert page.status_code == 200 and "almoner/try.js" in text and "/api/donors/openapi.json" in text
    assert "<script>" not in text and 'src="http' not in text


def test_A10_real_answers_are_what_the_document_says(tenant: Tenant, program: Program) -> None:
    with in_tenant(tenant):
        DonorClub.objects.create(name="Silver", minimum=5)
        contact = Contact.objects.get()
        record_pledge(contact, 5, date(2025, 1, 1))
        field = CustomField.objects.create(name="VIP", kind="yes_no")
        CustomValue.objects.create(contact=contact, field=field, value="yes")
        uid = str(Donor.objects.get().uid)
    validated(good(program.read(uid)), "Donor")
    validated(good(program.read(uid, "?fields=notes")), "PartOfDonor")
    made = program.create(organization(tenant))
    validated(made, "Donor")
    validated(good(program.patch(made["id"], replace("/notes", "x"))), "Donor")
    validated(program.search(), "DonorsFound")
    batch = good(
        program.batch({"operation": "patch", "id": made["id"], "patch": []}, {"operation": "delete", "id": uid})
    )
    validated(batch, "BatchDone")
    validated(good(program.call("POST", "/recalculateDonorTotals")), "Recalculated")
    validated(good(program.call("DELETE", f"/{made['id']}")), "DonorId")
    validated(program.call("DELETE", f"/{uid}").json(), "Problem")
    validated(program.call("POST", "", {"type": "contact", "contact_id": str(person(tenant).uid), "city": 7}).json(),
              "Problem")  # fmt: skip
    assert json.dumps(document())
