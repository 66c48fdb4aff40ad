"""What goes wrong, as clients of OSDI expect it: a status and `{"error": "a sentence"}`, nothing else (O1)."""

import logging
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from contacts.api.problems import Problem, flat, readable
from gifts.donating.refused import DonatingRefused

log = logging.getLogger(__name__)
NO_KEY = "API Key invalid or not present"
OUR_MISTAKE = "Something went wrong on our side, and nothing was done. It has been noted."
BUSY = "The database is busy, and nothing was done. Please try again in a moment."


class Wrong(Problem):
    """400 with this sentence: something in the request is wrong, and nothing was done."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(status, "refused", readable(sentence)[:500])


class NotThere(Problem):
    """404 in the words that clients know; the same for what is not there and for what is another organization's."""

    def __init__(self, what: str, uid: str) -> None:
        super().__init__(404, "not-found", f"Couldn't find {what} with id = {readable(uid)[:60]}")


def told(error: Exception) -> tuple[int, str]:
    """(status, sentence) of what went wrong. What nobody foresaw says nothing about itself."""
    if isinstance(error, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        return 403, NO_KEY
    if isinstance(error, Problem):
        return (400 if error.status_code == 422 else error.status_code), error.sentence
    if isinstance(error, DonatingRefused):
        return 400, str(error)
    if isinstance(error, exceptions.ValidationError):
        rows = [f"{one['field']}: {one['message']}" if one["field"] else one["message"] for one in flat(error.detail)]
        return 400, " ".join(rows)[:500]
    if isinstance(error, Http404):
        return 404, "There is nothing at this address."
    if isinstance(error, exceptions.APIException):
        return error.status_code, str(error.detail)
    if isinstance(error, SuspiciousOperation):  # such as thousands of parameters, which Django does not read
        return 400, "There is too much in this request. Nothing was done."
    if isinstance(error, OperationalError):
        return 503, BUSY
    return 500, OUR_MISTAKE


def handler(error: Exception, context: dict[str, Any]) -> Response:
    """Every exception of a view becomes such an answer."""
    status, sentence = told(error)
    if status >= 500:
        # The traceback holds lines of code only; what was sent is in no message.
        log.error("An OSDI call failed: %s", type(error).__name__, exc_info=error if status == 500 else None)
    headers = {}
    if wait := getattr(error, "wait", 2 if status == 503 else None):
        headers["Retry-After"] = str(wait)
    return Response({"error": sentence}, status=status, headers=headers, content_type="application/json")


def outside(status: int, sentence: str) -> HttpResponse:
    """The same from outside of any view."""
    return JsonResponse({"error": sentence}, status=status)
