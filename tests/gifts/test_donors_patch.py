"""JSON Patch in the donors API: the conformance suite, all or nothing, what a donor must stay (A4)."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact, CustomField, EmailAddress, HistoryEntry
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.api.donors.patching import PatchRefused, patched
from gifts.models import Donor
from tests.gifts.donors_api import Program, giver, good, person, refused, replace

SUITE = Path(__file__).parent / "json_patch"
RECORDS = [
    pytest.param(record, id=f"{name}-{number}")
    for name in ("tests", "spec_tests")
    for number, record in enumerate(json.loads((SUITE / f"{name}.json").read_text()))
    if not record.get("disabled")
]


@pytest.mark.parametrize("record", RECORDS)
def test_A4_the_conformance_suite_of_json_patch(record: dict[str, Any]) -> None:
    before = copy.deepcopy(record["doc"])
    if "error" in record:
        with pytest.raises(PatchRefused):
            patched(record["doc"], record["patch"])
    else:
        after = patched(record["doc"], record["patch"])
        assert "expected" not in record or after == record["expected"]
    assert record["doc"] == before, "the document that is given stays as it is"


def test_A4_the_suite_is_whole() -> None:
    assert len(RECORDS) == 108 and sum("error" in each.values[0] for each in RECORDS) > 30  # type: ignore[operator]


POINTERS = st.sampled_from([
    "", "/", "/a", "/a/0", "/a/-", "/a/99999999999999999999", "/b", "/b/c", "a", "/~2", "/a/01", "/a/" + "9" * 5000,
    "/" + "x/" * 300, "/é", "/a/०",
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OPERATIONS = JSON | st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "spam"]) | JSON},
    optional={"path": POINTERS | JSON, "from": POINTERS | JSON, "value": JSON},
)


@settings(max_examples=200, deadline=None)
@given(document=JSON, operations=st.lists(OPERATIONS, max_size=5) | JSON)
def test_A4_whatever_is_sent_is_done_or_refused_and_never_done_by_half(document: Any, operations: Any) -> None:
    before = copy.deepcopy(document)
    try:
        json.dumps(patched(document, operations))
    except PatchRefused as why:
        assert str(why)
    assert document == before


def test_A4_copying_cannot_fill_the_memory() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": f"/a/{number}"} for number in range(900)]
    with pytest.raises(PatchRefused, match="copies too much"):
        patched({"a": {"b": "x" * 1000}}, doubling)
    with pytest.raises(PatchRefused, match="1,000"):
        patched({}, [{"op": "test", "path": "", "value": {}}] * 1001)


# --- over HTTP ---


@pytest.fixture
def program(tenant: Tenant) -> Program:
    return Program(tenant)


@pytest.mark.django_db
def test_A4_all_six_operations_and_both_content_types(tenant: Tenant, program: Program) -> None:
    uid = program.create(person(tenant, first_name="Ana", last_name="Ng"), notes="a", city="Ulm")["id"]
    operations = [
        {"op": "test", "path": "/notes", "value": "a"},
        {"op": "copy", "from": "/notes", "path": "/job_title"},
        {"op": "move", "from": "/city", "path": "/state"},
        {"op": "remove", "path": "/notes"},
        {"op": "add", "path": "/anonymous", "value": True},
        {"op": "replace", "path": "/last_name", "value": "Ngo"},
    ]  # fmt: skip
    said = good(program.call("PATCH", f"/{uid}", operations, content_type="application/json-patch+json"))
    assert (said["notes"], said["job_title"], said["city"], said["state"]) == ("", "a", "", "Ulm")
    assert (said["anonymous"], said["name"], said["sys_version"]) == (True, "Ana Ngo", 2)
    assert good(program.read(uid)) == said


@pytest.mark.django_db
@pytest.mark.parametrize("operations", [
    [replace("/notes", "new"), {"op": "test", "path": "/city", "value": "Rome"}],
    [replace("/notes", "new"), replace("/nothing", 1)],
    [replace("/notes", "new"), {"op": "add", "path": "/nickname", "value": "x"}],
    [replace("/notes", "new"), replace("/email_address", "no address")],
    [replace("/notes", "new"), replace("/anonymous", 1)],
    [replace("/notes", "new"), {"op": "remove", "path": "/type"}],
    [replace("/notes", "new"), {"op": "remove", "path": "/contact_id"}],
    [replace("/notes", "new"), replace("/type", "organization")],
    [replace("/notes", "new"), replace("/name", "Somebody Else")],
    [replace("/notes", "new"), replace("/total_amount_of_gifts", 1_000_000)],
    [replace("/notes", "new"), {"op": "add", "path": "/donor_club_history/-", "value": {}}],
    [replace("/notes", "new"), {"op": "move", "from": "/sys_version", "path": "/notes"}],
    [replace("/notes", {"deep": ["x"]})],
    [replace("", {})], [{"op": "remove", "path": ""}], [{"op": "add", "path": "", "value": []}],
    [{"op": "move", "from": "", "path": "/notes"}], [{"op": "copy", "from": "/notes", "path": ""}],
    [{"op": "move", "path": "/notes"}], [{"op": "replace", "path": "/notes"}], [{"op": "spam", "path": "/notes"}],
    [{"op": "replace", "path": "notes", "value": ""}], [{"path": "/notes"}], ["x"], [None], [[]], {}, "x", None, 7,
    {"op": "replace", "path": "/notes", "value": "new"},
    [{"op": "test", "path": "/notes"}],
    [{"op": "test", "path": "/sys_locked", "value": 0}],
])  # fmt: skip
def test_A4_a_patch_that_fails_or_gives_no_donor_is_400_and_changes_nothing(
    tenant: Tenant, program: Program, operations: Any
) -> None:
    uid = program.create(person(tenant), notes="old", city="Ulm")["id"]
    before = good(program.read(uid))
    with in_tenant(tenant):
        told = HistoryEntry.objects.count()
    refused(program.call("PATCH", f"/{uid}", operations), 400)
    assert good(program.read(uid)) == before
    with in_tenant(tenant):
        assert HistoryEntry.objects.count() == told


@pytest.mark.django_db
def test_A4_the_whole_donor_can_be_tested(tenant: Tenant, program: Program) -> None:
    read = good(program.read(str(giver(tenant, "10.10").uid)))
    assert good(program.patch(read["id"], {"op": "test", "path": "", "value": read})) == read
    refused(program.patch(read["id"], {"op": "test", "path": "", "value": read | {"notes": "x"}}), 400)


WRITABLE = {
    "/first_name": st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=101),
    "/country": st.sampled_from(["US", "us", "USA", "", None, 1]), "/city": st.none() | st.just("Ulm"),
    "/anonymous": st.sampled_from([True, False, None, 1]),
    "/email_address": st.sampled_from(["a@river.test", "b@river.test", "", None, "no"]),
    "/notes": st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20),
    "/sys_version": st.integers(1, 3), "/nothing": st.none(),
}  # fmt: skip
STEP = st.sampled_from(sorted(WRITABLE)).flatmap(
    lambda path: st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace", "test", "remove"]), "path": st.just(path), "value": WRITABLE[path]}
    )
)


@pytest.mark.django_db
@pytest.mark.once
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=1, max_size=4))
def test_A4_a_patch_is_done_as_a_whole_or_not_at_all(tenant: Tenant, steps: list[dict[str, Any]]) -> None:
    program = Program(tenant)
    uid = program.create(person(tenant, email="a@river.test"), notes="old")["id"]
    before = good(program.read(uid))
    answer = program.patch(uid, *steps)
    after = good(program.read(uid))
    if answer.status_code == 400:
        assert after == before
    else:
        assert good(answer) == after
        is_other = {name for name in after if after[name] != before[name]} - {"sys_version", "sys_last_modified_at"}
        assert after["sys_version"] == before["sys_version"] + bool(is_other)
        assert {f"/{name}" for name in is_other} - {"/name"} <= {step["path"] for step in steps}


@pytest.mark.django_db
def test_A4_custom_fields_are_written_and_read_by_their_kind(
    tenant: Tenant, neighbour: Tenant, program: Program
) -> None:
    with in_tenant(tenant):
        size, years, vip = (
            CustomField.objects.create(name=name, kind=kind)
            for name, kind in (("Size", "text"), ("Years", "number"), ("VIP", "yes_no"))
        )
    with in_tenant(neighbour):
        theirs = CustomField.objects.create(name="Size")
    contact = person(tenant)
    uid = program.create(contact)["id"]
    values = [
        {"custom_field_id": str(size.uid), "string_value": "Large"},
        {"custom_field_id": str(years.uid), "numeric_value": 12.5},
        {"custom_field_id": str(vip.uid), "boolean_value": True},
    ]
    said = good(program.patch(uid, replace("/custom_field_values", values)))
    assert sorted(map(str, said["custom_field_values"])) == sorted(map(str, values))
    assert said["sys_version"] == 2
    said = good(program.patch(uid, replace("/custom_field_values", values[:1])))
    assert said["custom_field_values"] == values[:1]
    for wrong, status in (
        ({"custom_field_id": str(theirs.uid), "string_value": "x"}, 409),
        ({"custom_field_id": str(years.uid), "string_value": "many"}, 400),
        ({"custom_field_id": str(size.uid), "list_value": ["x"]}, 400),
        ({"custom_field_id": str(size.uid), "string_value": "x", "numeric_value": 1}, 400),
    ):
        refused(program.patch(uid, {"op": "add", "path": "/custom_field_values/-", "value": wrong}), status)
    assert good(program.patch(uid, {"op": "remove", "path": "/custom_field_values"}))["custom_field_values"] == []


@pytest.mark.django_db
def test_A4_what_is_patched_on_the_contact_is_announced_like_an_edit(tenant: Tenant, program: Program) -> None:
    from contacts.signals import contacts_changed

    contact = person(tenant, email="a@river.test")
    uid = program.create(contact)["id"]
    heard: list[Any] = []

    def hear(sender: Any, uids: Any, **more: Any) -> None:
        heard.extend((sender, each) for each in uids)

    contacts_changed.connect(hear)
    try:
        good(program.patch(uid, replace("/email_address", "b@river.test"), replace("/first_name", "Bo")))
    finally:
        contacts_changed.disconnect(hear)
    assert {(Contact, contact.uid), (EmailAddress, contact.uid)} <= set(heard)
    with in_tenant(tenant):
        assert Donor.objects.get().updated_by == "API key “Website”"
