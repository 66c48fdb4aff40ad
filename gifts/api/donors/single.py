"""One donor: create, read, replace, patch, delete (A1–A5)."""

import uuid
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from contacts.api.problems import Problem
from gifts import donors
from gifts.api.donors import blind, shown, wanted
from gifts.api.donors.frame import DONOR, NO_DONOR, Done, Write, found, problem_of, uid_of
from gifts.api.donors.patching import PatchRefused, patched
from gifts.api.donors.reading import DonorsJson, DonorsPatch
from gifts.models import Donor
from gifts.whole import Whole, whole

OBJECT = "Send a JSON object."


class Donors(Write):
    """POST creates (A1)."""

    http_method_names = ["post"]  # noqa: RUF012

    def post(self, request: Request, tenant: str) -> Response:
        """A donor of a contact who is none yet."""
        body = an_object(self.sent(request, OBJECT))
        return self.once(request, lambda: create(body), body)


def create(body: Mapping[str, Any]) -> Done:
    """Make one; its id is made here."""
    if body.get("id") not in (None, ""):
        raise wanted.invalid(("id", "Send no id: it is made here."))
    given = wanted.from_body(body)
    assert given.contact is not None  # noqa: S101 - a body without one was refused
    return 200, {DONOR: str(donors.create(given.contact, given).uid)}


class OneDonor(Write):
    """GET reads, PUT replaces, PATCH changes, DELETE deletes one."""

    parser_classes: Any = (DonorsJson, DonorsPatch)
    http_method_names = ["get", "head", "put", "patch", "delete"]  # noqa: RUF012

    def get(self, request: Request, tenant: str, uid: str) -> Response:
        """The donor, or the members of it that are asked for. Every read is consistent (A2)."""
        names, _ = self.names("fields"), self.query("consistentRead")
        rows = list(found([uid_of(uid)]).values())
        if not rows:
            raise Problem(404, "not-found", NO_DONOR)
        return Response(shown.only(shown.donor(rows[0]), names))

    def put(self, request: Request, tenant: str, uid: str) -> Response:
        """What the body leaves out of the donor itself is emptied; of the contact it stays."""
        body = an_object(self.sent(request, OBJECT))
        return self.once(request, lambda: replace(uid_of(uid), body), body)

    def patch(self, request: Request, tenant: str, uid: str) -> Response:
        """RFC 6902, all or nothing."""
        operations = self.sent(request, "Send a JSON array of operations (RFC 6902).")
        return self.once(request, lambda: patch(one(uid_of(uid)), operations, self.may_read), operations)

    def delete(self, request: Request, tenant: str, uid: str) -> Response:
        """The contact stays. Answers the id."""
        return self.once(request, lambda: delete(one(uid_of(uid)).donor))


def an_object(data: Any) -> Mapping[str, Any]:
    """A body that has to be one."""
    if not isinstance(data, Mapping):
        raise Problem(400, "invalid", OBJECT)
    return data


def one(uid: uuid.UUID) -> Whole:
    """The donor with this id, locked."""
    rows = several([uid])
    if not rows:
        raise Problem(404, "not-found", NO_DONOR)
    return rows[uid]


def several(uids: list[uuid.UUID]) -> dict[uuid.UUID, Whole]:
    """These donors, locked; those there are."""
    rows = donors.locked(uids)
    return {each.donor.uid: each for each in whole(rows.values())}


def replace(uid: uuid.UUID, body: Mapping[str, Any]) -> Done:
    """A3, A11."""
    present = one(uid)
    if present.donor.is_locked:
        raise donors.Locked()
    version = body.get("sys_version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int | float)):
        raise wanted.invalid(("sys_version", "This is a number."))
    if version is not None and version != present.donor.version:
        raise Problem(
            409, "other-version", f"Nothing was done: this donor has sys_version {present.donor.version} by now. Read "
            "it again.", [{"path": "/sys_version", "message": "There is another version."}],
        )  # fmt: skip
    donors.change(present.donor, wanted.from_body(body, present))
    return 200, {DONOR: str(uid)}


def patch(present: Whole, operations: Any, may_read: bool) -> Done:
    """A4."""
    if present.donor.is_locked:
        raise donors.Locked()
    if not may_read:
        blind.refuse_reading(operations)
    before = shown.donor(present)
    refuse_the_whole(operations)
    try:
        after = patched(before, operations)
    except PatchRefused as why:
        errors = [] if why.number is None else [{"path": f"/{why.number}", "message": str(why)}]
        raise Problem(400, "patch-refused", f"Nothing was done. {why}", errors) from None
    given = wanted.from_patch(before, after, present)
    donors.change(present.donor, given)
    return 200, {DONOR: str(present.donor.uid)}


def refuse_the_whole(operations: Any) -> None:
    """A donor stays one: the document as a whole can be tested, and nothing else."""
    for operation in operations if isinstance(operations, list) else []:
        if isinstance(operation, dict) and operation.get("op") != "test" and "" in (
            operation.get("path"), operation.get("from") if operation.get("op") == "move" else None
        ):  # fmt: skip
            raise Problem(400, "patch-refused", "Nothing was done. A patch changes members, and never the whole donor.")


def delete(row: Donor) -> Done:
    """A5. A refusal is noted on the donor, so it is no exception, which would take the note back."""
    if why := donors.why_not_delete(row):
        problem = problem_of(why)
        return problem["status"], problem
    donors.delete(row)
    return 200, str(row.uid)
