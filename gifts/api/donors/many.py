"""Many donors at once: search, recalculate, batch (A6–A8)."""

import json
from typing import Any

from django.conf import settings
from django.db import transaction
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.api.problems import Problem
from contacts.tenancy.keys import ApiAnswer
from gifts import recounting
from gifts.api.donors import paging, shown, single
from gifts.api.donors.frame import NO_DONOR, Done, DonorsView, Write, again, in_form, problem_of
from gifts.api.donors.members import as_uid
from gifts.api.donors.searching import NO_CRITERIA, criteria_of, matching
from gifts.donors import DonorRefused
from gifts.whole import Whole, whole

MOST = 100
PATCH, DELETE = "patch", "delete"
OPERATIONS = "Send an object with “operations”, an array."


class Search(DonorsView):
    """POST, which only reads."""

    is_reading = True
    http_method_names = ["post"]  # noqa: RUF012

    def post(self, request: Request, tenant: str) -> Response:
        """A page of those who match, in a fixed order."""
        names, start = self.names("fieldsToReturn"), self.query("exclusiveStartKey")
        criteria = criteria_of(self.sent(request, NO_CRITERIA))
        after = paging.read(start, criteria, request.auth) if start else 0  # type: ignore[arg-type]
        rows = list(
            matching(criteria).filter(pk__gt=after).select_related("club").order_by("pk")[: settings.DONORS_PAGE + 1]
        )
        page = rows[: settings.DONORS_PAGE]
        items = [shown.only(shown.donor(each), names) for each in whole(page)]
        answer: dict[str, Any] = {"Items": items, "Count": len(items)}
        if len(rows) > len(page):
            answer["LastEvaluatedKey"] = paging.written(page[-1].pk, criteria, request.auth)  # type: ignore[arg-type]
        return Response(answer)


class Recalculate(Write):
    """POST without a body."""

    http_method_names = ["post"]  # noqa: RUF012

    def post(self, request: Request, tenant: str) -> Response:
        """All donors, a thousand in a transaction. Its answer is kept when it is at its end, so that calling again with
        the same key waits for the end, and never counts twice."""
        key = self.idempotency_key(request)
        known = ApiAnswer.objects.filter(token=request.auth, key=key).first() if key else None
        fingerprint = single_fingerprint(request)
        if known is not None:
            return again(known, fingerprint, self.may_read)
        run = recounting.recount_together(settings.DONORS_RECALCULATE_SECONDS)
        if run.finished_at is None:
            problem = Problem(429, "still-counting", f"{run.donors:,} donors are counted so far. Call again to wait.")
            problem.wait = 1  # type: ignore[attr-defined]
            raise problem
        said = {"donors_processed": run.donors, "donors_changed": run.changed}
        if key:
            ApiAnswer.objects.get_or_create(
                token=request.auth, key=key,
                defaults={"fingerprint": fingerprint, "status": 200, "body": json.dumps(said)},
            )  # fmt: skip
        return in_form(200, said, self.may_read)


def single_fingerprint(request: Request) -> str:
    """Of a call whose body says nothing."""
    from contacts.api.views import fingerprint_of

    return fingerprint_of(request, None)


class Batch(Write):
    """POST of up to a hundred patches and deletions."""

    http_method_names = ["post"]  # noqa: RUF012

    def post(self, request: Request, tenant: str) -> Response:
        """Each on its own: one that fails changes nothing of the others."""
        body = self.sent(request, OPERATIONS)
        return self.once(request, lambda: batch(operations_of(body), self.may_read), body)


def operations_of(body: Any) -> list[dict[str, Any]]:
    """The operations of a body that can be read as a whole; otherwise nothing is done."""
    rows = body.get("operations") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise Problem(400, "invalid", OPERATIONS)
    if len(rows) > MOST:
        raise Problem(400, "too-many", f"A batch has {MOST} operations at most. Nothing was done.")
    seen: set[str] = set()
    for number, row in enumerate(rows):
        wrong = why_unreadable(row)
        if not wrong and row["id"].lower() in seen:
            wrong = "This donor is there twice, and no order is promised."
        if wrong:
            raise Problem(
                400, "invalid", f"Nothing was done. Operation {number}: {wrong}",
                [{"path": f"/operations/{number}", "message": wrong}],
            )  # fmt: skip
        seen.add(row["id"].lower())
    return rows


def why_unreadable(row: Any) -> str:
    """What is wrong with the shape of one operation, or ""."""
    if not isinstance(row, dict):
        return "This is an object."
    if row.get("operation") not in (PATCH, DELETE):
        return f"“operation” is {PATCH} or {DELETE}."
    if not isinstance(row.get("id"), str) or not row["id"]:
        return "“id” is the id of a donor."
    if row["operation"] == PATCH and not isinstance(row.get("patch"), list):
        return "“patch” is an array of operations (RFC 6902)."
    return ""


def batch(rows: list[dict[str, Any]], may_read: bool) -> Done:
    """One after the other; all donors are locked first, in a fixed order: two batches never block each other."""
    uids = {row["id"]: as_uid(row["id"]) for row in rows}
    here = single.several([uid for uid in uids.values() if uid])
    results = [result(number, row, here.get(known) if (known := uids[row["id"]]) else None, may_read)
               for number, row in enumerate(rows)]  # fmt: skip
    good = sum(each["success"] for each in results)
    return 200, {"success_count": good, "error_count": len(results) - good, "results": results}


def result(number: int, row: dict[str, Any], present: Whole | None, may_read: bool) -> dict[str, Any]:
    """What became of one operation."""
    said = {"index": number, "operation": row["operation"], "id": row["id"]}
    try:
        with transaction.atomic():
            if present is None:
                raise Problem(404, "not-found", NO_DONOR)
            if row["operation"] == PATCH:
                status, data = single.patch(present, row["patch"], may_read)
            else:
                status, data = single.delete(present.donor)
    except (APIException, DonorRefused) as error:
        data = problem_of(error)
        status = data["status"]
    if status >= 400:
        errors = {"errors": data["errors"]} if "errors" in data else {}
        return said | {"success": False, "status": status, "message": data["message"]} | errors
    return said | {"success": True, "status": status} | ({"data": data} if isinstance(data, dict) else {})
