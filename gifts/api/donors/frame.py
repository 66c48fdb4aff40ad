"""The frame of the donors API: whose donors the address is about, problems with `message`, only the source's status
codes (A9), and writes that are done once where an Idempotency-Key is sent."""

import json
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.api.auth import PlainKey
from contacts.api.problems import CONTENT_TYPE, TITLES, Problem, as_details, handler
from contacts.api.views import ApiView, fingerprint_of
from contacts.tenancy.keys import ApiAnswer, ApiToken
from gifts.api.donors import READ, WRITE, blind, shown
from gifts.api.donors.members import as_uid
from gifts.api.donors.reading import DonorsJson, is_sound
from gifts.donors import Conflict, DonorRefused, Locked
from gifts.models import Donor
from gifts.whole import Whole, whole

# What is no status of the source, as one that is.
AS_IN_THE_SOURCE = {406: 400, 413: 400, 415: 400, 422: 400}
KEY = range(0x21, 0x7F)
NO_DONOR = "There is no donor with this id in this organization."
# A body that is kept says {DONOR: id} where a donor stands: no donor's data is kept twice.
DONOR = "$donor"
Done = tuple[int, Any]


def in_words(body: dict[str, Any]) -> dict[str, Any]:
    """A problem in the form of this API: with `message`, and `errors` by JSON Pointer."""
    status = AS_IN_THE_SOURCE.get(body["status"], body["status"])
    found = body | {"status": status, "title": TITLES.get(status, body["title"]), "message": body["detail"]}
    if "errors" in body:
        found["errors"] = [
            {"path": each.get("path", "/" + each.get("field", "")), "message": each["message"]}
            for each in body["errors"]
        ]  # fmt: skip
    return found


def problem_of(error: Exception) -> dict[str, Any]:
    """What went wrong, of any exception."""
    if isinstance(error, Locked):
        return in_words(as_details(Problem(403, "locked", str(error))))
    if isinstance(error, Conflict):
        return in_words(as_details(Problem(409, "conflict", f"Nothing was done. {error}")))
    if isinstance(error, DonorRefused):
        return in_words(as_details(Problem(400, "invalid", f"Nothing was done. {error}")))
    return in_words(as_details(error))


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """Every exception of a view as a problem."""
    if isinstance(error, DonorRefused):
        error = Problem((body := problem_of(error))["status"], body["type"].rpartition(":")[2], body["detail"])
    response = handler(error, context)
    response.data = in_words(response.data)
    response.status_code = response.data["status"]
    return response


class DonorsView(ApiView):
    """A view of this API. Reading needs one scope, everything else the other."""

    authentication_classes = (PlainKey,)
    parser_classes: Any = (DonorsJson,)
    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "put", "patch", "delete"]
    is_reading: ClassVar[bool] = False  # also by POST

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.scope = READ if self.is_reading or request.method in ("GET", "HEAD") else WRITE  # type: ignore[misc]
        super().initial(request, *args, **kwargs)
        if request.headers.get("Transfer-Encoding"):  # the body would be passed over: {} finds everybody
            raise Problem(400, "no-length", "Send the body in one piece, with Content-Length.")

    def enter(self, token: ApiToken) -> None:
        super().enter(token)
        if self.kwargs["tenant"] != token.tenant.slug:  # one that there is not is told the same as a neighbour's
            raise Problem(403, "wrong-tenant", "This key is not for the tenant in the address.")

    def get_exception_handler(self) -> Any:
        return handle

    @property
    def may_read(self) -> bool:
        """Whether donors are shown to this key, also after a write."""
        return READ in self.request.auth.scopes

    def sent(self, request: Request, what: str) -> Any:
        """The body. None at all is no empty object; `what` says what to send."""
        if not request.headers.get("Content-Length", "").strip("0 "):
            raise Problem(400, "no-body", f"There is no body. {what}")
        return request.data

    def query(self, name: str) -> str:
        """A parameter of the address; "" where there is none."""
        given = self.request.query_params.getlist(name)
        if len(given) > 1:
            raise Problem(400, "invalid", f"“{name}” is given more than once.")
        if given and not is_sound(given[0]):
            raise Problem(400, "invalid", f"“{name}” holds a NUL, or half of a sign.")
        return str(given[0]) if given else ""

    def names(self, name: str) -> list[str] | None:
        """A projection: names, separated by commas; None for all."""
        return [each.strip() for each in self.query(name).split(",") if each.strip()] or None


def uid_of(given: str) -> uuid.UUID:
    """An id in the address. Raises 404 for what is none of ours."""
    if (uid := as_uid(given)) is None:
        raise Problem(404, "not-found", NO_DONOR)
    return uid


def found(uids: list[Any]) -> dict[str, Whole]:
    """These donors as they are now, by their ids."""
    rows = Donor.objects.filter(uid__in=uids).select_related("club").order_by("pk")
    return {str(one.donor.uid): one for one in whole(rows)}


class Write(DonorsView):
    """A write. With an Idempotency-Key it is done once: what it came to is kept, and the donor shown as it is now."""

    def once(self, request: Request, do: Callable[[], Done], data: Any = None) -> Response:
        """Do it, in one transaction with its answer; `data` is the body that was read."""
        key = self.idempotency_key(request)
        if key is None:
            with transaction.atomic():
                status, said = do()
            return in_form(status, said, self.may_read)
        fingerprint = fingerprint_of(request, data)
        with transaction.atomic():
            try:
                with transaction.atomic():
                    answer = ApiAnswer.objects.create(token=request.auth, key=key, fingerprint=fingerprint)
            except IntegrityError:
                return again(ApiAnswer.objects.get(token=request.auth, key=key), fingerprint, self.may_read)
            try:
                with transaction.atomic():
                    answer.status, said = do()
            except (exceptions.APIException, Http404, DonorRefused) as error:
                said = problem_of(error)
                answer.status = said["status"]
            answer.body = json.dumps(said)
            answer.save(update_fields=["status", "body"])
        return in_form(answer.status, said, self.may_read)

    def idempotency_key(self, request: Request) -> str | None:
        """The key in the header, with or without quotation marks; None where there is none."""
        key = request.headers.get("Idempotency-Key", "").strip()
        if len(key) > 2 and key[0] == key[-1] == '"':
            key = key[1:-1]
        if len(key) > 200 or any(ord(sign) not in KEY for sign in key):
            raise Problem(400, "no-idempotency-key", "An Idempotency-Key has 200 letters, digits or signs at most.")
        return key or None


def again(answer: ApiAnswer, fingerprint: str, may_read: bool) -> Response:
    """It was done before."""
    if answer.fingerprint != fingerprint:
        raise Problem(
            400, "key-used-before",
            "This Idempotency-Key was used for another request before. Nothing was done; use a new key.",
        )  # fmt: skip
    response = in_form(answer.status, json.loads(answer.body), may_read)
    response["Idempotent-Replayed"] = "true"
    return response


def in_form(status: int, said: Any, may_read: bool) -> Response:
    """As it is sent: with donors where their ids stand, or what is told of them to a key that may not read."""
    if status >= 400:
        return Response(said, status=status, content_type=CONTENT_TYPE)
    uids = list(donors_in(said))
    rows = found(uids) if uids else {}
    if isinstance(said, dict) and DONOR in said and said[DONOR] not in rows:
        raise Problem(404, "not-found", "It was done, and this donor was deleted since.")
    names = None if may_read else blind.TOLD
    donors = {uid: shown.only(shown.donor(row), names) for uid, row in rows.items()}
    return Response(filled(said, donors), status=status)


def donors_in(said: Any) -> Any:
    """The ids of the donors that are to be shown."""
    if isinstance(said, dict):
        if DONOR in said:
            yield said[DONOR]
        for each in said.values():
            yield from donors_in(each)
    elif isinstance(said, list):
        for each in said:
            yield from donors_in(each)


def filled(said: Any, donors: dict[str, Any]) -> Any:
    """With the donors; null for one that is gone."""
    if isinstance(said, dict):
        if DONOR in said:
            return donors.get(said[DONOR])
        return {name: filled(each, donors) for name, each in said.items()}
    return [filled(each, donors) for each in said] if isinstance(said, list) else said
