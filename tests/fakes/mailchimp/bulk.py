"""`POST /lists/{id}`: up to 500 members at once; each row succeeds or fails for itself, inside a 200."""

from __future__ import annotations

from typing import Any

from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import Problem, invalid, refused
from tests.fakes.mailchimp.members import FIELDS, check_interests, writer
from tests.fakes.mailchimp.shown import member_shower
from tests.fakes.mailchimp.state import Audience, Member, address_id
from tests.fakes.mailchimp.writing import Writer

MOST = 500
ROW = s.shape(FIELDS, required=("email_address",))
BODY = s.shape(
    {"members": s.list_of(ROW, MOST), "sync_tags": s.boolean, "update_existing": s.boolean},
    required=("members",),
)
EXISTS = (
    "{email} is already a list member, do you want to update? please provide update_existing:true in the request body"
)


def post(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    wish = call.body(BODY)
    rows = wish["members"]
    if call.sandbox.options.refuse_bulk_status_if_new:
        refuse_status_if_new(rows)
    work = Bulk(
        audience,
        writer(call, audience),
        update_existing=wish.get("update_existing", False),
        sync_tags=wish.get("sync_tags", False),
        skip_duplicates=call.flag("skip_duplicate_check"),
    )
    for row in rows:
        work.take(row)
    return Answer(work.report(), "Lists/BatchSubscribe")


def refuse_status_if_new(rows: list[dict[str, Any]]) -> None:
    for index, row in enumerate(rows):
        if "status_if_new" in row:
            raise invalid(f"members.item:{index}", "This field was not expected: status_if_new")


class Bulk:
    """One bulk call on its way through its rows."""

    def __init__(
        self, audience: Audience, write: Writer, *, update_existing: bool, sync_tags: bool, skip_duplicates: bool
    ) -> None:
        self.audience, self.write = audience, write
        self.update_existing, self.sync_tags = update_existing, sync_tags
        self.skip_duplicates = skip_duplicates
        self.seen: set[str] = set()
        self.created: list[Member] = []
        self.updated: list[Member] = []
        self.errors: list[dict[str, str]] = []

    def take(self, row: dict[str, Any]) -> None:
        email = row["email_address"]
        key = address_id(email)
        if key in self.seen:
            if not self.skip_duplicates:
                self.fail(email, f"{email} appears more than once in this request.")
            return
        self.seen.add(key)
        member = self.audience.members.get(key)
        if member and not self.update_existing:
            self.fail(email, EXISTS.format(email=email), code="ERROR_CONTACT_EXISTS")
            return
        try:
            check_interests(row)
            if member:
                self.update(member, row)
            else:
                self.create(email, row)
        except Problem as problem:
            first = (problem.errors or [{"field": "", "message": ""}])[0]
            self.fail(email, problem.detail, first["field"], first["message"])

    def create(self, email: str, row: dict[str, Any]) -> None:
        status = row.get("status_if_new") or row.get("status")
        if not status:
            raise refused("Required fields were not provided: status")
        self.created.append(self.write.create(email, row, status))

    def update(self, member: Member, row: dict[str, Any]) -> None:
        self.write.change(member, row, row.get("status"))
        if self.sync_tags:
            self.write.tag(member, row.get("tags", []), replace=True)
        self.updated.append(member)

    def fail(self, email: str, error: str, field: str = "", message: str = "", code: str = "ERROR_GENERIC") -> None:
        self.errors.append(
            {
                "email_address": email,
                "error": error,
                "error_code": code,
                "field": field,
                "field_message": message,
            }
        )

    def report(self) -> dict[str, Any]:
        show = member_shower(self.audience)
        return {
            "new_members": [show(member) for member in self.created],
            "updated_members": [show(member) for member in self.updated],
            "errors": self.errors,
            "total_created": len(self.created),
            "total_updated": len(self.updated),
            "error_count": len(self.errors),
        }


ROUTES = [("POST", "/lists/<list_id>", post)]
