"""Schemas of bodies and answers, made from the table of members that bodies are checked with."""

from typing import Any

from gifts.api.donors.many import MOST
from gifts.api.donors.members import CUSTOM, DAY, FLAG, ID, NUMBER, READ_ONLY, TEXT, WRITABLE
from gifts.api.donors.patching import MOST as MOST_OPERATIONS
from gifts.api.donors.patching import OPS
from gifts.api.donors.searching import ARRAYS, LONGEST, TEXTS
from gifts.api.donors.searching import MOST as MOST_IDS

WHOLE: dict[str, Any] = {"type": "integer"}
POINTER: dict[str, Any] = {"type": "string", "pattern": "^(/.*)?$", "description": "A JSON Pointer, such as /notes."}
IDS: dict[str, Any] = {"type": "array", "items": TEXT, "maxItems": MOST_IDS}
# Always there; the others are absent where they have no value.
ALWAYS = (
    "id", "type", *WRITABLE, CUSTOM, "total_number_of_gifts", "total_amount_of_gifts", "pledge_balance",
    "donor_club_history", "sys_version", "sys_created_at", "sys_last_modified_at", "sys_created_by_id",
    "sys_last_modified_by_id", "sys_locked", "sys_has_files_in_s3", "sys_calculated_field_errors",
)  # fmt: skip


def ref(name: str) -> dict[str, str]:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def thing(properties: dict[str, Any], needed: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """An object."""
    return {"type": "object", "properties": properties, "required": list(needed)} | more


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """What may also be null in what is sent."""
    return {name: value for name, value in schema.items() if name != "type"} | {"type": [schema["type"], "null"]}


def described(schema: dict[str, Any], words: str) -> dict[str, Any]:
    """With words, where there are any."""
    return schema | ({"description": words} if words else {})


def of_references() -> dict[str, Any]:
    """What a donor is of."""
    return {
        "type": {"type": "string", "enum": ["contact", "organization"]},
        "contact_id": described(TEXT, "The contact, for the type contact. What refers to nothing is 409."),
        "organization_id": described(TEXT, "The organization, for the type organization."),
    }


def of_donor() -> dict[str, Any]:
    """As it is shown."""
    shown = {"id": ID} | of_references()
    shown |= {name: described(member.schema, member.words) for name, member in WRITABLE.items()}
    shown[CUSTOM] = {"type": "array", "items": ref("CustomFieldValue")}
    return shown | {name: described(schema, words) for name, (schema, words) in READ_ONLY.items()}


def of_body() -> dict[str, Any]:
    """As it is sent: what only we write is ignored, and so is what is not known."""
    sent = of_references() | {
        name: described(nullable(member.schema), member.words) for name, member in WRITABLE.items()
    }
    for name in ("contact_id", "organization_id"):
        sent[name] = described(nullable(TEXT), sent[name]["description"])
    sent[CUSTOM] = described({"type": ["array", "null"], "items": ref("CustomFieldValue")},
                             "All of them: what is not named is emptied.")  # fmt: skip
    return thing(sent, ("type",))


def of_replacement() -> dict[str, Any]:
    """The same with a version."""
    body = of_body()
    body["properties"] |= {
        "id": described(nullable(TEXT), "If sent, the one in the address."),
        "sys_version": described({"type": ["number", "null"]}, "If sent, the present one; otherwise 409."),
    }
    return body


def of_operation() -> dict[str, Any]:
    """One step of a JSON Patch."""
    return thing(
        {"op": {"type": "string", "enum": list(OPS)}, "path": POINTER, "from": POINTER,
         "value": {"description": "Any JSON."}}, ("op", "path"),
    )  # fmt: skip


def of_batch() -> dict[str, Any]:
    """Patches and deletions."""
    operation = thing(
        {"operation": {"type": "string", "enum": ["patch", "delete"]}, "id": TEXT | {"minLength": 1},
         "patch": {"type": "array", "items": ref("PatchOperation"), "maxItems": MOST_OPERATIONS}},
        ("operation", "id"),
    )  # fmt: skip
    return thing({"operations": {"type": "array", "maxItems": MOST, "items": operation}}, ("operations",))


SCHEMAS: dict[str, Any] = {
    "Donor": thing(of_donor(), ALWAYS),
    "Written": {
        "anyOf": [ref("Donor"), thing({"id": ID, "sys_version": NUMBER}, ("id", "sys_version"),
                                      additionalProperties=False)],
        "description": "The donor; id and sys_version only, for a key without donors:read.",
    },
    "PartOfDonor": thing(of_donor(), ("id",), description="All members, or those that were asked for."),
    "NewDonor": of_body(),
    "DonorReplacement": of_replacement(),
    "CustomFieldValue": thing(
        {"custom_field_id": TEXT, "string_value": TEXT, "numeric_value": {"type": "number"}, "boolean_value": FLAG},
        ("custom_field_id",),
    ),
    "ClubSpell": thing(
        {"donor_club_id": TEXT, "start_date": DAY, "end_date": {"type": ["string", "null"], "format": "date"}},
        ("donor_club_id", "start_date", "end_date"),
    ),
    "PatchOperation": of_operation(),
    "JsonPatch": {"type": "array", "items": ref("PatchOperation"), "maxItems": MOST_OPERATIONS},
    "DonorId": described(ID, "The id of the donor that was deleted."),
    "Search": thing(
        {name: {"type": ["string", "null"], "maxLength": LONGEST} for name in TEXTS if name != "type"}
        | {"type": {"type": ["string", "null"], "enum": ["contact", "organization", "", None]}}
        | {name: nullable(IDS) for name in ARRAYS},
        additionalProperties=False,
    ),
    "DonorsFound": thing(
        {"Items": {"type": "array", "items": ref("PartOfDonor")}, "Count": WHOLE,
         "LastEvaluatedKey": described(TEXT, "Send it as exclusiveStartKey for what follows. Absent at the end.")},
        ("Items", "Count"),
    ),
    "Recalculated": thing({"donors_processed": WHOLE, "donors_changed": WHOLE}, ("donors_processed", "donors_changed")),
    "Batch": of_batch(),
    "BatchResult": thing(
        {"index": WHOLE, "operation": TEXT, "id": TEXT, "success": FLAG, "status": WHOLE,
         "data": {"anyOf": [ref("Written"), {"type": "null"}]}, "message": TEXT,
         "errors": {"type": "array", "items": ref("Wrong")}},
        ("index", "operation", "id", "success", "status"),
    ),
    "BatchDone": thing(
        {"success_count": WHOLE, "error_count": WHOLE, "results": {"type": "array", "items": ref("BatchResult")}},
        ("success_count", "error_count", "results"),
    ),
    "Wrong": thing({"path": TEXT, "message": TEXT}, ("path", "message")),
    "Problem": thing(
        {"type": TEXT | {"format": "uri"}, "title": TEXT, "status": WHOLE, "detail": TEXT, "message": TEXT,
         "errors": {"type": "array", "items": ref("Wrong")}},
        ("type", "title", "status", "detail", "message"),
    ),
}  # fmt: skip
