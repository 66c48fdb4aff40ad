"""The OpenAPI 3.1 document of OSDI, and the page to try it."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from contacts.tenancy.views import render_page
from gifts.api.osdi import hal
from gifts.api.osdi.examples import HOW, examples
from gifts.api.osdi.schemas import ANSWERS, BODIES, ref

WHERE = "/api/osdi"
ONCE = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "A new random word for each thing that is to be done once. Send it again, with the same body, when "
    "no answer came. Keys are kept for 30 days. Without an API key it counts for nothing: send `identifiers`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}  # fmt: skip
AFTERWARDS = {
    "name": "background_request", "in": "query", "required": False, "schema": {"type": "string", "enum": ["true"]},
    "description": "`true`: the answer is `{}` at once, and the work is done afterwards.",
}  # fmt: skip
PAGING = [
    {"name": "page", "in": "query", "required": False, "schema": {"type": "integer", "minimum": 1, "maximum": 10**8},
     "description": "Which page; the first is 1."},
    {"name": "per_page", "in": "query", "required": False,
     "schema": {"type": "integer", "minimum": 1, "maximum": 10**8}, "description": "How many; 25 at most."},
]  # fmt: skip
LIMITS = {
    name: {"schema": {"type": "integer"}, "description": words}
    for name, words in (
        ("RateLimit-Limit", "Calls allowed in a minute."), ("RateLimit-Remaining", "How many of them are left."),
        ("RateLimit-Reset", "In how many seconds counting begins anew."),
    )
}  # fmt: skip
ERRORS = {
    400: "Something in it is wrong; `error` says what. Nothing was done.",
    403: "The key is missing, does not work, or has another scope.",
    404: "There is no such thing in the organization of this key.",
    405: "Not possible here.",
    413: "The body is larger than 64 KB.",
    429: "Too many calls; `Retry-After` says when to come back.",
    503: "The database is busy, and nothing was done; call again.",
}
BY = {
    "people": "identifier, created_date, modified_date, given_name, family_name, email_address, phone_number, region, "
    "postal_code",
    "fundraising_pages": "identifier, created_date, modified_date, origin_system, title",
    "donations": "identifier, created_date, modified_date",
}  # fmt: skip


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The document; it is no secret."""
    return JsonResponse(document())


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Each call with its fields and an example, to be sent from here with a key of one's own."""
    context = {"document": f"{WHERE}/openapi.json", "base": hal.BASE}
    return render_page(request, "tasks_app/try.html", "Donation helper and OSDI", context)


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Almoner: the donation helper and OSDI", "version": "2", "description": HOW},
        "servers": [{"url": f"{settings.PUBLIC_URL}{hal.BASE}"}],
        "security": [{"key": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "OSDI-API-Token",
                        "description": "A key with scope osdi."},
            },
            "schemas": ANSWERS | BODIES,
        },
    }  # fmt: skip


def paths() -> dict[str, Any]:
    """Every address."""
    given = examples()

    def read(name: str, summary: str, answer: str) -> dict[str, Any]:
        return operation(name, summary, answer, given)

    def listed(name: str, summary: str, answer: str, by: str = "") -> dict[str, Any]:
        return operation(name, summary, answer, given, [*PAGING, *filtered(by)])

    def write(name: str, summary: str, body: str, answer: str, may_wait: bool = True) -> dict[str, Any]:
        return operation(name, summary, answer, given, [ONCE, *([AFTERWARDS] if may_wait else [])], body, may_wait)

    def donation(of: str) -> dict[str, Any]:
        return {
            "get": read(f"readDonation{of}", "Read a donation", "Donation"),
            "put": write(f"changeDonation{of}", "Change a donation", "DonationChange", "Donation"),
        }

    found = {
        "/": {"get": read("readEntryPoint", "Where everything begins", "EntryPoint") | {"security": [{"key": []}, {}]}},
        "/people": {
            "get": listed("listPeople", "List people", "People", "people"),
            "post": write("signUpPerson", "Find or add a person (person signup helper)", "Signup", "Person"),
        },
        "/people/{person}": {
            "get": read("readPerson", "Read a person", "Person"),
            "put": write("changePerson", "Change a person; what is not sent stays", "PersonChange", "Person"),
        },
        "/people/{person}/donations": {
            "get": listed("listDonationsOfPerson", "List a person’s donations", "Donations", "donations")
        },
        "/people/{person}/donations/{donation}": donation("OfPerson"),
        "/people/{person}/taggings": {"get": listed("listTaggingsOfPerson", "List a person’s tags", "Taggings")},
        "/fundraising_pages": {
            "get": listed("listPages", "List fundraising pages", "FundraisingPages", "fundraising_pages"),
            "post": write("makePage", "Make a fundraising page", "NewPage", "FundraisingPage", may_wait=False),
        },
        "/fundraising_pages/{page}": {
            "get": read("readPage", "Read a fundraising page", "FundraisingPage"),
            "put": write("changePage", "Change a fundraising page", "PageChange", "FundraisingPage", may_wait=False),
        },
        "/fundraising_pages/{page}/donations": {
            "get": listed("listDonationsOfPage", "List a page’s donations", "Donations", "donations"),
            "post": write("recordDonation", "Record a donation (record donation helper)", "NewDonation", "Donation")
            | {"security": [{"key": []}, {}]},
        },
        "/fundraising_pages/{page}/donations/{donation}": donation("OfPage"),
        "/donations": {"get": listed("listDonations", "List all donations", "Donations", "donations")},
        "/donations/{donation}": donation(""),
        "/tags": {
            "get": listed("listTags", "List tags", "Tags"),
            "post": write("makeTag", "Make a tag, unless it is there", "NewTag", "Tag", may_wait=False),
        },
        "/tags/{tag}": {"get": read("readTag", "Read a tag", "Tag")},
        "/tags/{tag}/taggings": {
            "get": listed("listTaggings", "List who has a tag", "Taggings"),
            "post": write("tagPerson", "Tag a person", "NewTagging", "Tagging"),
        },
        "/tags/{tag}/taggings/{tagging}": {
            "get": read("readTagging", "Read a tagging", "Tagging"),
            "delete": operation(
                "deleteTagging", "Take a tag off a person", "Notice", given, [ONCE, AFTERWARDS], may_wait=True
            ),
        },
        "/metadata": {"get": read("readMetadata", "What else can be known", "Metadata")},
        "/metadata/custom_fields": {"get": read("listCustomFields", "List custom fields", "CustomFields")},
    }
    for path, methods in found.items():
        for call in methods.values():
            call["parameters"] = [*in_path(path), *call["parameters"]]
    return found


def in_path(path: str) -> list[dict[str, Any]]:
    """The ids in an address."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"},
         "description": f"The id of the {name}, as `identifiers` has it after `action_network:`."}
        for name in names
    ]  # fmt: skip


def filtered(by: str) -> list[dict[str, Any]]:
    """The filter of a collection, if it has one."""
    if not by:
        return []
    words = f"Such as `created_date gt '2026-05-01'`. By {BY[by]}."
    return [{"name": "filter", "in": "query", "required": False, "schema": {"type": "string"}, "description": words}]


def operation(
    name: str, summary: str, answer: str, given: dict[str, Any], parameters: Any = (), body: str = "",
    may_wait: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """One call."""
    example = given.get(name, {})
    schema = {"anyOf": [ref(answer), ref("Nothing")]} if may_wait else ref(answer)
    content = {"schema": schema} | ({"example": example["answer"]} if "answer" in example else {})
    good = {"description": "Here it is.", "headers": LIMITS, "content": {hal.CONTENT_TYPE: content}}
    wrong = {
        str(status): {"description": words, "content": {"application/json": {"schema": ref("Error")}}}
        for status, words in ERRORS.items()
    }
    found: dict[str, Any] = {
        "operationId": name, "summary": summary, "parameters": list(parameters), "responses": {"200": good} | wrong,
    }  # fmt: skip
    if body:
        sent = {"schema": ref(body), "example": example["request"]}
        found["requestBody"] = {"required": True, "content": {"application/json": sent}}
    return found
