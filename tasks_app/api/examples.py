"""Examples of what is sent and answered, and how the API works, in words; the document and its page show them."""

from typing import Any

HOW = """Send `Authorization: Bearer <key>` with every call. An owner makes keys under Organization → API keys.

List tasks with `changed_since`; follow `next_cursor` until it is null, and keep `changed_until` for the next time. A
task may come twice, and none is passed over. `may_be_sent: false` means: send nothing.

Each POST takes an `Idempotency-Key`. When no answer came, send the same again with the same key.

What goes wrong comes as problem details (RFC 9457), content type `application/problem+json`."""

TASK = "5f1c6a52-9f0e-4c0e-8f55-2d9f4c1b7a10"
STELLA = {"email": "stella@rivertrust.test", "name": "Stella Novak"}
OPEN = {"id": TASK, "state": "open", "assignee": STELLA, "changed_at": "2026-05-02T09:30:00Z"}
SENT = OPEN | {"state": "sent", "changed_at": "2026-05-02T10:00:00Z"}
DONE = OPEN | {"state": "done", "changed_at": "2026-05-02T18:00:00Z"}
CONTACT = {
    "id": "0b8f7c1e-3c55-4c57-9e0b-6f3a4f0f5d21", "kind": "person", "name": "Grace Foster", "first_name": "Grace",
    "last_name": "Foster", "organization_name": "", "custom_user_id": "u-1042", "email": "grace@oakpost.test",
    "may_be_emailed": True, "phone": "+15035550142", "do_not_contact": False,
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "id": TASK, "state": "open", "may_be_sent": True, "changed_at": "2026-05-02T09:30:00Z", "kind": "video",
    "title": "Send Grace Foster a thank you video.",
    "sentence": "Send Grace Foster a thank you video. Grace made a $100.00 donation.", "contact": CONTACT,
    "reasons": [{
        "sentence": "Grace made a $100.00 donation.", "instruction": "", "on": "2026-05-01", "amount": "100.00",
        "currency": "USD", "comment": "In memory of her father",
    }],
    "assignee": None, "due_on": "2026-05-08", "snoozed_until": None, "claimed_at": None, "sent_at": None,
    "video_id": "", "video_link": "", "closing_note": "", "events": [], "created_at": "2026-05-01T12:00:00Z",
}  # fmt: skip

EXAMPLES: dict[str, dict[str, Any]] = {
    "listTasks": {"answer": {"results": [WHOLE], "next_cursor": None, "changed_until": "2026-05-02T09:58:00Z"}},
    "readTask": {"answer": WHOLE},
    "listStaff": {"answer": {"results": [STELLA]}},
    "findContacts": {"answer": {"results": [CONTACT]}},
    "claimTask": {"request": {"assignee": "stella@rivertrust.test"}, "answer": OPEN},
    "reportSent": {
        "request": {
            "event_id": "ev-1", "video_id": "vid-77", "link": "https://videos.example.org/77",
            "at": "2026-05-02T10:00:00Z",
        },
        "answer": {"event_id": "ev-1", "is_new": True, "task": SENT},
    },
    "reportWatched": {
        "request": {"event_id": "ev-2", "at": "2026-05-02T18:00:00Z", "seconds": 42, "percent": 90},
        "answer": {"event_id": "ev-2", "is_new": True, "task": DONE},
    },
    "reportReplied": {
        "request": {"event_id": "ev-3", "at": "2026-05-02T18:05:00Z", "text": "What a lovely surprise!"},
        "answer": {"event_id": "ev-3", "is_new": True, "task": DONE},
    },
    "dismissTask": {
        "request": {"reason": "Thanked by telephone"}, "answer": OPEN | {"state": "dismissed"},
    },
    "addContact": {
        "request": {
            "first_name": "Grace", "last_name": "Foster", "email": "grace@oakpost.test", "custom_user_id": "u-1042",
        },
        "answer": {"id": CONTACT["id"], "is_new": True, "do_not_contact": False},
    },
}  # fmt: skip
