"""What goes wrong in an API, as problem details (RFC 9457): type, title, status, and a sentence that helps (T9)."""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

log = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: "This request cannot be read",
    401: "No valid key",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    406: "Not possible here",
    409: "Not possible now",
    413: "Too large",
    415: "Not JSON",
    422: "Something in it is wrong",
    429: "Too many calls",
    500: "Our mistake",
    503: "Busy",
}


class Problem(exceptions.APIException):
    """Answer with this status and sentence. `kind` is the last part of its type; `errors` say which field is wrong."""

    def __init__(self, status: int, kind: str, sentence: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(sentence)
        self.status_code, self.kind, self.sentence, self.errors = status, kind, sentence, errors or []


KINDS: dict[type[Exception], str] = {
    exceptions.AuthenticationFailed: "no-valid-key",
    exceptions.NotAuthenticated: "no-valid-key",
    exceptions.PermissionDenied: "wrong-scope",
    exceptions.MethodNotAllowed: "method-not-allowed",
    exceptions.UnsupportedMediaType: "not-json",
    exceptions.ParseError: "not-json",
}


def details(status: int, kind: str, sentence: str, errors: Any = None) -> dict[str, Any]:
    """The body of a problem."""
    body = {
        "type": f"urn:almoner:problem:{kind}", "title": TITLES.get(status, TITLES[400]), "status": status,
        "detail": sentence,
    }  # fmt: skip
    return body | ({"errors": errors} if errors else {})


def as_details(error: Exception) -> dict[str, Any]:
    """The same of an exception; what nobody foresaw says nothing about itself."""
    if isinstance(error, Problem):
        return details(error.status_code, error.kind, error.sentence, error.errors)
    if isinstance(error, exceptions.ValidationError):
        return details(422, "invalid", "Nothing was done. Please correct what is named in “errors”.",
                       flat(error.detail))  # fmt: skip
    if isinstance(error, Http404):
        return details(404, "not-found", "There is nothing with this id in the organization of this key.")
    if isinstance(error, exceptions.APIException):
        return details(error.status_code, KINDS.get(type(error), "refused"), str(error.detail))
    if isinstance(error, SuspiciousOperation):  # such as thousands of parameters, which Django does not read
        return details(400, "not-readable", "There is too much in this request. Nothing was done.")
    if isinstance(error, OperationalError):
        return details(503, "busy", "The database is busy, and nothing was done. Please try again in a moment.")
    return details(500, "our-mistake", "Something went wrong on our side, and nothing was done. It has been noted.")


def flat(detail: Any, field: str = "") -> list[dict[str, str]]:
    """What is wrong with which field, one after the other."""
    if isinstance(detail, dict):
        inner = [(f"{field}.{name}" if field else str(name), each) for name, each in detail.items()]
        return [one for name, each in inner for one in flat(each, "" if name == "non_field_errors" else name)]
    if isinstance(detail, list):
        return [one for each in detail for one in flat(each, field)]
    return [{"field": readable(field)[:100], "message": readable(str(detail))}]


def readable(text: str) -> str:
    """Without what a client sent and no database or reader takes."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def handler(error: Exception, context: dict[str, Any]) -> Response:
    """Every exception of a view becomes a problem; DRF's setting EXCEPTION_HANDLER."""
    body = as_details(error)
    if body["status"] >= 500:
        log.error("An API call failed: %s", type(error).__name__, exc_info=error)
    headers = {}
    if name := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = name
    if wait := getattr(error, "wait", 2 if body["status"] == 503 else None):
        headers["Retry-After"] = str(wait)
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def is_api(request: HttpRequest) -> bool:
    """Whether a program asks, which wants problems, and no page."""
    return request.path.startswith(("/api/", "/donors/"))


# APIs whose errors are no problem details, by how their addresses begin: how they say a sentence.
otherwise: dict[str, Callable[[int, str], HttpResponse]] = {}


def answer(status: int, kind: str, sentence: str, path: str = "") -> HttpResponse:
    """A problem from outside of any view, about a call of this address."""
    for begin, say in otherwise.items():
        if path.startswith(begin):
            return say(status, sentence)
    body = details(status, kind, sentence) | {"message": sentence}  # which the donors API has besides
    return HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE)
