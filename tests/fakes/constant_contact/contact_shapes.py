"""The bodies of calls about contacts, with the lengths of the vendor's description."""

from __future__ import annotations

from tests.fakes.constant_contact import shapes as s
from tests.fakes.constant_contact.state import PERMISSIONS

SOURCES = ("Contact", "Account")
CORE: dict[str, s.Rule] = {
    "first_name": s.text(50, is_nullable=True),
    "last_name": s.text(50, is_nullable=True),
    "job_title": s.text(50, is_nullable=True),
    "company_name": s.text(50, is_nullable=True),
    "birthday_month": s.number(1, 12),
    "birthday_day": s.number(1, 31),
    "anniversary": s.text(10, is_nullable=True),
}
PHONE = s.Shape(
    {"phone_number": s.text(25), "kind": s.text(accepted=("home", "work", "mobile", "other"))},
    readable=("phone_number_id", "created_at", "updated_at", "create_source", "update_source"),
)
STREET = s.Shape(
    {
        "kind": s.text(accepted=("home", "work", "other")),
        "street": s.text(255),
        **dict.fromkeys(("city", "state", "postal_code", "country"), s.text(50)),
    },
    required=("kind",),
    readable=("street_address_id", "created_at", "updated_at"),
)
CUSTOM = s.Shape(
    {"custom_field_id": s.identity, "value": s.text(255), "choice_ids": s.list_of(s.text())},
    required=("custom_field_id",),
)
PARTS: dict[str, s.Rule] = {
    "list_memberships": s.list_of(s.identity, 50),
    "custom_fields": s.list_of(CUSTOM, 25),
    "phone_numbers": s.list_of(PHONE, 3),
    "street_addresses": s.list_of(STREET, 3),
    "taggings": s.list_of(s.identity, 50),
    "notes": s.list_of(s.anything, 150),
    "sms_channel": s.anything,
}
PERMISSION = s.text(accepted=PERMISSIONS)
REASON = s.text(255, is_nullable=True)
READ_WITH_ADDRESS = ("created_at", "updated_at", "opt_in_source", "opt_in_date", "opt_out_source", "opt_out_date",
                     "confirm_status", "opt_out_reason")  # fmt: skip
READ_WITH_CONTACT = ("contact_id", "created_at", "updated_at", "deleted_at", "create_source", "update_source")

POST = s.Shape(
    {
        **CORE,
        **PARTS,
        "create_source": s.text(accepted=SOURCES),
        "email_address": s.Shape(
            {"address": s.address(80), "permission_to_send": PERMISSION},
            required=("address",),
            readable=READ_WITH_ADDRESS,
        ),
    },
    required=("create_source",),
    readable=READ_WITH_CONTACT,
)
PUT = s.Shape(
    {
        **CORE,
        **PARTS,
        "update_source": s.text(accepted=SOURCES),
        "email_address": s.Shape(
            {"address": s.address(80), "permission_to_send": PERMISSION, "opt_out_reason": REASON},
            required=("address",),
            readable=READ_WITH_ADDRESS,
        ),
    },
    required=("update_source",),
    readable=READ_WITH_CONTACT,
)
# The form takes a plain address, and a shorter one.
SIGN_UP = s.Shape(
    {
        **CORE,
        "email_address": s.address(50),
        "phone_number": s.text(25),
        "list_memberships": s.list_of(s.identity, 50, 1),
        "custom_fields": s.list_of(CUSTOM, 50),
        "street_address": STREET,
        "sms_channel": s.anything,
    },
    required=("list_memberships",),
)
RESUBSCRIBE = s.Shape({"list_ids": s.list_of(s.identity, 50)}, required=("list_ids",))
