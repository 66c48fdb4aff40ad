"""The OpenAPI 3.1 document of the video app's API, and the page to try it (T9)."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from contacts.tenancy.views import render_page
from tasks_app.api import bodies
from tasks_app.api.answers import SCHEMAS, ref
from tasks_app.api.examples import EXAMPLES, HOW
from tasks_app.api.schema import of_body, of_query

BASE = "/api/video/v1"
UID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"},
       "description": "The id of the task."}  # fmt: skip
ONCE = {
    "name": "Idempotency-Key", "in": "header", "required": True,
    "description": "A new random word for each thing that is to be done once. Send it again, with the same body, "
    "when no answer came: the answer is the same. Keys are kept for 30 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}  # fmt: skip
LIMITS = {
    name: {"schema": {"type": "integer"}, "description": words}
    for name, words in (
        ("RateLimit-Limit", "Calls allowed in a minute."),
        ("RateLimit-Remaining", "How many of them are left."),
        ("RateLimit-Reset", "In how many seconds counting begins anew."),
    )
}
PROBLEMS = {
    400: "Not readable: no JSON, a NUL in the address, or no Idempotency-Key.",
    401: "The key is missing or does not work.", 403: "The key has another scope.",
    404: "There is no such thing in the organization of this key.",
    409: "Not possible now; `detail` says why.", 413: "The body is larger than 64 KB.", 415: "The body is not JSON.",
    422: "Something in it is wrong (`errors` says what), or the Idempotency-Key was used for another request.",
    429: "Too many calls; `Retry-After` says when to come back.", 503: "The database is busy; call again.",
}  # fmt: skip


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The document; it is no secret."""
    return JsonResponse(document())


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Each call with its fields and an example, to be sent from here with a key of one's own."""
    return render_page(request, "tasks_app/try.html", "The API for a video app", {"document": f"{BASE}/openapi.json"})


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Almoner: the API for a video app", "version": "1", "description": HOW},
        "servers": [{"url": f"{settings.PUBLIC_URL}{BASE}"}],
        "security": [{"key": []}],
        "paths": paths(),
        "webhooks": webhooks(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key with scope video."}},
            "schemas": SCHEMAS | {form.__name__: of_body(form) for form in (
                bodies.Claim, bodies.Sent, bodies.Watched, bodies.Replied, bodies.Dismiss, bodies.NewContact,
            )},
        },
    }  # fmt: skip


def paths() -> dict[str, Any]:
    """Every address."""
    both = {200: "Reported"}
    return {
        "/tasks": {"get": read("listTasks", "List tasks, in the order of their changes", "TaskPage", bodies.TaskQuery)},
        "/tasks/{id}": {"get": read("readTask", "Read one task", "Task", None, True)},
        "/tasks/{id}/claim": {"post": write("claimTask", "Claim a task", bodies.Claim, {200: "TaskState"})},
        "/tasks/{id}/sent": {
            "post": write("reportSent", "Report that a video was sent", bodies.Sent, {201: "Reported"} | both)
        },
        "/tasks/{id}/watched": {
            "post": write("reportWatched", "Report that it was watched", bodies.Watched, {201: "Reported"} | both)
        },
        "/tasks/{id}/replied": {
            "post": write("reportReplied", "Report a reply", bodies.Replied, {201: "Reported"} | both)
        },
        "/tasks/{id}/dismiss": {"post": write("dismissTask", "Dismiss a task", bodies.Dismiss, {200: "TaskState"})},
        "/contacts": {
            "get": read("findContacts", "Look contacts up", "ContactsFound", bodies.ContactQuery),
            "post": write(
                "addContact", "Add a contact, unless it is there", bodies.NewContact,
                {201: "ContactKnown", 200: "ContactKnown"}, is_of_task=False,
            ),
        },
        "/staff": {"get": read("listStaff", "List who works there and can be given a task", "Staff")},
    }  # fmt: skip


def read(name: str, summary: str, answer: str, query: Any = None, is_of_task: bool = False) -> dict[str, Any]:
    """A GET."""
    known = [400, 401, 403, 422, 429, 503] + ([404] if is_of_task else [])
    return {
        "operationId": name, "summary": summary,
        "parameters": ([UID] if is_of_task else []) + (of_query(query) if query else []),
        "responses": {"200": good(name, 200, answer)} | problems(known),
    }  # fmt: skip


def write(name: str, summary: str, form: Any, answers: dict[int, str], is_of_task: bool = True) -> dict[str, Any]:
    """A POST that is done once."""
    known = [400, 401, 403, 409, 413, 415, 422, 429, 503] + ([404] if is_of_task else [])
    return {
        "operationId": name, "summary": summary, "parameters": ([UID] if is_of_task else []) + [ONCE],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref(form.__name__), "example": EXAMPLES[name]["request"]}},
        },
        "responses": {str(status): good(name, status, answer) for status, answer in answers.items()} | problems(known),
    }  # fmt: skip


def good(name: str, status: int, answer: str) -> dict[str, Any]:
    """What comes back when all is well, with an example of the first of its answers."""
    words = {200: "Done, or done before." if "request" in EXAMPLES.get(name, {}) else "Here it is.", 201: "Done."}
    content: dict[str, Any] = {"schema": ref(answer)}
    if name in EXAMPLES:
        content["example"] = EXAMPLES[name]["answer"]
    return {"description": words[status], "headers": LIMITS, "content": {"application/json": content}}


def problems(statuses: list[int]) -> dict[str, Any]:
    """What may go wrong, as problem details (RFC 9457)."""
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {str(status): {"description": PROBLEMS[status], "content": content} for status in sorted(statuses)}


def webhooks() -> dict[str, Any]:
    """What we send to an address that the organization registered."""
    told = {
        "task.created": "A donor is to be thanked.",
        "test": "Somebody wants to see whether this address takes it. There is no task in it.",
        "task.changed": "Its state, who has it, its dates or its reasons have changed, or the donor has. Read the "
        "task; 404 says that there is nothing to be done any more.",
    }
    schema = {
        "type": "object", "required": ["id", "type", "at"],
        "properties": {
            "id": {"type": "string", "format": "uuid", "description": "The same whenever this is sent again."},
            "type": {"type": "string", "enum": list(told)}, "at": {"type": "string", "format": "date-time"},
            "task": {"type": "object", "required": ["id", "url"], "properties": {
                "id": {"type": "string", "format": "uuid"}, "url": {"type": "string", "format": "uri"},
            }},
        },
    }  # fmt: skip
    signature = {
        "name": "Almoner-Signature", "in": "header", "required": True, "schema": {"type": "string"},
        "description": "t=<seconds>,v1=<HMAC-SHA256, in hex, of “<t>.<body>” with the webhook’s secret>; for a day "
        "after a new secret, a second v1 with the old one. Compare it before you believe the body, and refuse what is "
        "older than five minutes.",
    }  # fmt: skip
    return {
        kind: {"post": {
            "summary": words, "parameters": [signature],
            "requestBody": {"content": {"application/json": {"schema": schema}}},
            "responses": {"200": {"description": "Any status from 200 to 299 says that you have it."}},
        }}
        for kind, words in told.items()
    }  # fmt: skip
