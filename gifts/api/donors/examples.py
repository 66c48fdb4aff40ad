"""Examples of what is sent and answered, and how the API works, in words; the document and its page show them."""

from typing import Any

HOW = """Send `Authorization: <key>` or `Authorization: Bearer <key>` with every call. An owner makes keys under
Organization → API keys; reading needs the scope `donors:read`, everything else `donors:write`. The `tenantId` in the
address stands on that page, too. A key with `donors:write` alone is told nothing of a donor but `id` and `sys_version`;
its patches add, remove and replace, and test `/sys_version` only (403 otherwise).

A donor is a contact with what they gave. Names, address and job title are the contact's own: writing them here changes
the contact. Totals and clubs are ours: they are right as soon as a gift is, and in POST and PUT they are ignored, so
that what was read can be sent back. A PATCH that would change one is 400.

PUT empties `anonymous`, `notes` and `sys_external_id` where the body leaves them out; what the contact says stays. Send
`sys_version` as you read it, and a change that somebody made in between is not written over (409).

PATCH is JSON Patch (RFC 6902), all or nothing.

An `Idempotency-Key` on a write is optional. With one, the same call sent again is not done again.

What goes wrong comes as problem details (RFC 9457), with a `message`."""

ID = "5f1c6a52-9f0e-4c0e-8f55-2d9f4c1b7a10"
OTHER = "9a3d0d4e-6b39-4f0c-9c59-8f1f5e1f7f22"
CONTACT = "0b8f7c1e-3c55-4c57-9e0b-6f3a4f0f5d21"
SILVER, GOLD = "c1f0a3de-3f0f-4f7e-8a56-1d0a4c6b9e01", "c1f0a3de-3f0f-4f7e-8a56-1d0a4c6b9e02"
DONOR: dict[str, Any] = {
    "id": ID, "type": "contact", "contact_id": CONTACT, "name": "Ana Ng", "first_name": "Ana", "last_name": "Ng",
    "email_address": "ana@example.org", "city": "Portland", "state": "OR", "country": "US", "job_title": "Baker",
    "anonymous": False, "notes": "Met at the river day.", "donor_club_id": GOLD, "date_of_last_gift": "2026-10-03",
    "total_number_of_gifts": 3, "total_amount_of_gifts": 1250.5, "amount_of_largest_gift": 1000, "pledge_balance": 250,
    "donor_club_history": [
        {"donor_club_id": SILVER, "start_date": "2025-01-04", "end_date": "2026-10-03"},
        {"donor_club_id": GOLD, "start_date": "2026-10-03", "end_date": None},
    ],
    "custom_field_values": [{"custom_field_id": "7be3a9d2-62a4-4d7f-8a52-c1f0e5b6a711", "string_value": "Large"}],
    "sys_version": 7, "sys_created_at": "2025-01-04T09:00:00Z", "sys_last_modified_at": "2026-10-03T12:00:00Z",
    "sys_created_by_id": "API key “Website”", "sys_last_modified_by_id": "Stella Novak", "sys_external_id": "web-1042",
    "sys_locked": False, "sys_has_files_in_s3": False, "sys_calculated_field_errors": [],
}  # fmt: skip
OF_GIFTS = ("donor_club_id", "date_of_last_gift", "amount_of_largest_gift")
NEW: dict[str, Any] = {name: value for name, value in DONOR.items() if name not in OF_GIFTS} | {
    "total_number_of_gifts": 0, "total_amount_of_gifts": 0, "pledge_balance": 0, "donor_club_history": [],
    "sys_version": 1,
}  # fmt: skip
PATCH: list[dict[str, Any]] = [
    {"op": "test", "path": "/sys_version", "value": 7},
    {"op": "replace", "path": "/notes", "value": "Likes to be called in the evening."},
]

EXAMPLES: dict[str, dict[str, Any]] = {
    "createDonor": {
        "request": {"type": "contact", "contact_id": CONTACT, "notes": "Met at the river day.",
                    "sys_external_id": "web-1042"},
        "answer": NEW,
    },
    "readDonor": {"answer": DONOR},
    "replaceDonor": {
        "request": {"type": "contact", "contact_id": CONTACT, "first_name": "Ana", "last_name": "Ng",
                    "anonymous": True, "notes": "", "sys_external_id": "web-1042", "sys_version": 7},
        "answer": DONOR | {"anonymous": True, "notes": "", "sys_version": 8},
    },
    "patchDonor": {
        "request": PATCH, "answer": DONOR | {"notes": "Likes to be called in the evening.", "sys_version": 8},
    },
    "deleteDonor": {"answer": ID},
    "searchDonors": {
        "request": {"last_name": "ng", "city": "Portland"},
        "answer": {"Items": [DONOR], "Count": 1, "LastEvaluatedKey": "WzEsIjFmIiw0Ml0:1tQ0bC:h3c8c0W9"},
    },
    "recalculateDonorTotals": {"answer": {"donors_processed": 4210, "donors_changed": 0}},
    "batchDonors": {
        "request": {"operations": [
            {"operation": "patch", "id": ID, "patch": PATCH[1:]}, {"operation": "delete", "id": OTHER},
        ]},
        "answer": {"success_count": 1, "error_count": 1, "results": [
            {"index": 0, "operation": "patch", "id": ID, "success": True, "status": 200,
             "data": DONOR | {"notes": "Likes to be called in the evening.", "sys_version": 8}},
            {"index": 1, "operation": "delete", "id": OTHER, "success": False, "status": 409,
             "message": "Nothing was done. This donor has gifts or pledges, and whoever gave or promised something "
                        "stays."},
        ]},
    },
}  # fmt: skip
