"""The OpenAPI 3.1 document of the donors API, and the page to try it."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from contacts.tenancy.views import render_page
from gifts.api.donors.examples import EXAMPLES, HOW
from gifts.api.donors.schemas import SCHEMAS, ref

ADDRESS = "/api/donors/openapi.json"
LIMITS = {
    name: {"schema": {"type": "integer"}, "description": words}
    for name, words in (
        ("RateLimit-Limit", "Calls allowed in a minute."),
        ("RateLimit-Remaining", "How many of them are left."),
        ("RateLimit-Reset", "In how many seconds counting begins anew."),
    )
}
WORDS = {
    200: "Done.",
    400: "The request is not valid: `errors` says what is wrong.", 401: "The key is missing or does not work.",
    403: "The key lacks the scope or is for another tenant, or the donor is locked.",
    404: "There is no such donor in this tenant.",
    409: "It refers to something that is not there, or something refers to it, or there is another version by now.",
    429: "Too many calls; `Retry-After` says when to come back.", 503: "The database is busy; call again.",
}  # fmt: skip
TEXT = {"type": "string"}
TENANT = {"name": "tenantId", "in": "path", "required": True, "schema": TEXT | {"minLength": 1},
          "description": "The id of the tenant; it stands on the page of API keys."}  # fmt: skip
ID = {"name": "id", "in": "path", "required": True, "schema": TEXT | {"minLength": 1},
      "description": "The id of the donor."}  # fmt: skip
ONCE = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": TEXT | {"maxLength": 200, "pattern": "^[!-~]*$"},
    "description": "A new random word for each thing that is to be done once. Keys are kept for 30 days.",
}  # fmt: skip


def asked(name: str, words: str) -> dict[str, Any]:
    """A parameter of the query."""
    return {"name": name, "in": "query", "required": False, "schema": TEXT, "description": words}


FIELDS = "The members that you want, separated by commas; `id` is always among them. All, if left out."


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The document; it is no secret."""
    return JsonResponse(document())


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Each call with its fields and an example, to be sent from here with a key of one's own."""
    return render_page(request, "tasks_app/try.html", "The donors API", {"document": ADDRESS, "base": ""})


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Almoner: the donors API", "version": "1", "description": HOW},
        "servers": [{"url": settings.PUBLIC_URL}],
        "security": [{"key": []}, {"bearer": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "The key itself."},
                "bearer": {"type": "http", "scheme": "bearer", "description": "The key after the word Bearer."},
            },
            "schemas": SCHEMAS,
        },
    }


def paths() -> dict[str, Any]:
    """Every address."""
    of_one = [TENANT, ID]
    return {
        "/donors/{tenantId}": {
            "post": call("createDonor", "Create a donor", [TENANT, ONCE], "Written", "NewDonor", [404, 409]),
        },
        "/donors/{tenantId}/search": {
            "post": call("searchDonors", "Search for donors", [
                TENANT, asked("exclusiveStartKey", "`LastEvaluatedKey` of the page before."),
                asked("fieldsToReturn", FIELDS),
            ], "DonorsFound", "Search"),
        },
        "/donors/{tenantId}/recalculateDonorTotals": {
            "post": call("recalculateDonorTotals", "Recalculate all totals and clubs", [TENANT, ONCE], "Recalculated"),
        },
        "/donors/{tenantId}/batch": {
            "post": call("batchDonors", "Up to 100 patches and deletions", [TENANT, ONCE], "BatchDone", "Batch"),
        },
        "/donors/{tenantId}/{id}": {
            "get": call("readDonor", "Read a donor", [
                *of_one, asked("fields", FIELDS),
                asked("consistentRead", "Every read is consistent, whatever is sent."),
            ], "PartOfDonor", more=[404]),
            "put": call("replaceDonor", "Replace a donor", [*of_one, ONCE], "Written", "DonorReplacement", [404, 409]),
            "patch": call("patchDonor", "Change a donor", [*of_one, ONCE], "Written", "JsonPatch", [404, 409]),
            "delete": call("deleteDonor", "Delete a donor without gifts", [*of_one, ONCE], "DonorId", more=[404, 409]),
        },
    }  # fmt: skip


def call(
    name: str, summary: str, parameters: list[Any], answer: str, body: str = "", more: list[int] | None = None
) -> dict[str, Any]:
    """One operation."""
    good = {"schema": ref(answer), "example": EXAMPLES[name]["answer"]}
    bad = {"application/problem+json": {"schema": ref("Problem")}}
    answers: dict[str, Any] = {
        str(status): {"description": WORDS[status], "content": bad}
        for status in sorted([400, 401, 403, 429, 503, *(more or [])])
    }
    found: dict[str, Any] = {
        "operationId": name, "summary": summary, "parameters": parameters,
        "responses": {"200": {"description": WORDS[200], "headers": LIMITS, "content": {"application/json": good}}}
        | answers,
    }  # fmt: skip
    if body:
        content = {"schema": ref(body), "example": EXAMPLES[name]["request"]}
        kinds = ["application/json"] + (["application/json-patch+json"] if name == "patchDonor" else [])
        found["requestBody"] = {"required": True, "content": dict.fromkeys(kinds, content)}
    return found
