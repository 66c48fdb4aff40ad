"""Schemas of what the API answers."""

from typing import Any

from tasks_app.models import ThankYou, VideoEvent

TEXT: dict[str, Any] = {"type": "string"}
UID: dict[str, Any] = {"type": "string", "format": "uuid"}
FLAG: dict[str, Any] = {"type": "boolean"}
TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
DAY: dict[str, Any] = {"type": "string", "format": "date"}


def ref(name: str) -> dict[str, str]:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(schema: dict[str, Any]) -> dict[str, Any]:
    """Or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def thing(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object with these; all of them but the optional ones are always there."""
    needed = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": needed}


def many(name: str, **more: Any) -> dict[str, Any]:
    """A list of them, under `results`."""
    return thing({"results": {"type": "array", "items": ref(name)}, **more})


STATE: dict[str, Any] = {"type": "string", "enum": list(ThankYou.State.values)}
WHOLE_TASK: dict[str, Any] = {
    "kind": TEXT, "title": TEXT, "sentence": TEXT, "contact": ref("Contact"),
    "reasons": {"type": "array", "items": ref("Reason")}, "assignee": maybe(ref("Person")), "due_on": DAY,
    "snoozed_until": maybe(DAY), "claimed_at": maybe(TIME), "sent_at": maybe(TIME), "video_id": TEXT,
    "video_link": TEXT, "closing_note": TEXT, "events": {"type": "array", "items": ref("Event")}, "created_at": TIME,
}  # fmt: skip
SHORT_TASK: dict[str, Any] = {
    "id": UID, "state": STATE, "changed_at": TIME,
    "may_be_sent": {
        "type": "boolean",
        "description": "False: send nothing. Of a donor under Do Not Contact nothing else is told.",
    },
}  # fmt: skip

SCHEMAS: dict[str, Any] = {
    "Person": thing({"email": TEXT, "name": TEXT}),
    "Contact": thing({
        "id": UID, "kind": TEXT, "name": TEXT, "first_name": TEXT, "last_name": TEXT, "organization_name": TEXT,
        "custom_user_id": TEXT, "email": TEXT, "may_be_emailed": {
            "type": "boolean",
            "description": "False, and `email` empty: no address, a dead one, or one that asked for no mail.",
        }, "phone": TEXT, "do_not_contact": FLAG,
    }),
    "Reason": thing({
        "sentence": TEXT, "instruction": TEXT, "on": DAY,
        "amount": maybe({"type": "string", "pattern": r"^-?\d+\.\d\d$"}), "currency": TEXT, "comment": TEXT,
    }),
    "Event": thing({
        "event_id": TEXT, "kind": {"type": "string", "enum": list(VideoEvent.Kind.values)}, "at": TIME,
        "video_id": TEXT, "link": TEXT, "seconds": maybe({"type": "integer"}), "percent": maybe({"type": "integer"}),
        "text": TEXT,
    }),
    "Task": thing(SHORT_TASK | WHOLE_TASK, tuple(WHOLE_TASK)),
    "TaskPage": many("Task", next_cursor=maybe(TEXT), changed_until=TIME),
    "TaskState": thing({"id": UID, "state": STATE, "assignee": maybe(ref("Person")), "changed_at": TIME}),
    "Reported": thing({"event_id": TEXT, "is_new": FLAG, "task": ref("TaskState")}),
    "ContactsFound": many("Contact"),
    "ContactKnown": thing({"id": UID, "is_new": FLAG, "do_not_contact": FLAG}),
    "Staff": many("Person"),
    "Problem": thing({
        "type": {"type": "string", "format": "uri"}, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT,
        "errors": {"type": "array", "items": thing({"field": TEXT, "message": TEXT})},
    }, ("errors",)),
}  # fmt: skip
