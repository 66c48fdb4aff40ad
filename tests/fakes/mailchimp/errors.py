"""The vendor's refusals: problem+json documents with the titles and details clients match on."""

from __future__ import annotations

from typing import Any

from tests.fakes.acts import Refusal

TYPE = "https://mailchimp.com/developer/marketing/docs/errors/"
INVALID = "The resource submitted could not be validated. For field-specific details, see the 'errors' array."


class Problem(Refusal):
    """A refusal. ``typed`` is False where the live service leaves ``type`` out."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        *,
        typed: bool = True,
        allow: str = "",
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.errors = status, title, detail, errors
        self.typed, self.allow = typed, allow

    @property
    def sentence(self) -> str:
        return f"{self.detail} {'; '.join(each['message'] for each in self.errors or [])}".strip()

    def document(self, instance: str) -> dict[str, Any]:
        document: dict[str, Any] = {"type": TYPE} if self.typed else {}
        document |= {"title": self.title, "status": self.status, "detail": self.detail, "instance": instance}
        if self.errors is not None:
            document["errors"] = self.errors
        return document


def invalid(field: str = "", message: str = "", *more: tuple[str, str]) -> Problem:
    """400 with the field-specific details."""
    errors = [{"field": f, "message": m} for f, m in ((field, message), *more)]
    return Problem(400, "Invalid Resource", INVALID, errors)


def invalid_all(errors: list[dict[str, str]]) -> Problem:
    return Problem(400, "Invalid Resource", INVALID, errors)


def refused(detail: str) -> Problem:
    """400 whose detail says it all."""
    return Problem(400, "Invalid Resource", detail)


def bad_request(detail: str) -> Problem:
    return Problem(400, "Bad Request", detail)


def member_exists(email: str) -> Problem:
    detail = f"{email} is already a list member. Use PUT to insert or update list members."
    return Problem(400, "Member Exists", detail, typed=False)


def in_compliance_state(email: str) -> Problem:
    detail = (
        f"{email} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."
    )
    return Problem(400, "Member In Compliance State", detail, typed=False)


def forgotten(email: str) -> Problem:
    detail = (
        f"{email} was permanently deleted and cannot be re-imported. "
        "The contact must re-subscribe to get back on the list."
    )
    return Problem(400, "Forgotten Email Not Subscribed", detail, typed=False)


def looks_fake(email: str) -> Problem:
    return refused(f"{email} looks fake or invalid, please enter a real email address.")


def too_many_lists(email: str) -> Problem:
    return refused(f"{email} has signed up to a lot of lists very recently; we're not allowing more signups for now")


def merge_fields_invalid(errors: list[dict[str, str]]) -> Problem:
    return Problem(400, "Invalid Resource", "Your merge fields were invalid.", errors)


def not_found() -> Problem:
    return Problem(404, "Resource Not Found", "The requested resource could not be found.")


def cannot_archive() -> Problem:
    detail = "This list member cannot be removed. Can not archive a contact that is bounced, pending or archived"
    return Problem(405, "Method Not Allowed", detail, allow="GET, PUT")


# Named as in the vendor's glossary, which is also what `X-Trigger-Error` takes.
GLOSSARY: dict[str, Problem] = {
    "BadRequest": bad_request("Your request could not be processed."),
    "InvalidAction": Problem(400, "Invalid Action", "The action requested was not valid for this resource."),
    "InvalidResource": refused(INVALID),
    "JSONParseException": Problem(400, "JSON Parse Exception", "We encountered an unspecified JSON parsing error."),
    "APIKeyMissing": Problem(401, "API Key Missing", "Your request did not include an API key."),
    "APIKeyInvalid": Problem(
        401,
        "API Key Invalid",
        "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
    ),
    "Forbidden": Problem(403, "Forbidden", "You are not permitted to access this resource."),
    "UserDisabled": Problem(403, "User Disabled", "This account has been disabled."),
    "UserActionNotPermitted": Problem(
        403, "User action not permitted", "User does not have access to the requested operation"
    ),
    "WrongDatacenter": Problem(403, "Wrong Datacenter", "The API key provided is linked to a different datacenter."),
    "ResourceNotFound": not_found(),
    "MethodNotAllowed": Problem(
        405,
        "Method Not Allowed",
        "The requested method and resource are not compatible. "
        "See the Allow header for this resource's available methods.",
    ),
    "ResourceNestingTooDeep": Problem(
        414, "Resource Nesting Too Deep", "The sub-resource requested is nested too deeply."
    ),
    "InvalidMethodOverride": Problem(
        422, "Invalid Method Override", "You can only use the X-HTTP-Method-Override header with POST."
    ),
    "RequestedFieldsInvalid": Problem(
        422, "Requested Fields Invalid", "The fields requested from this resource are invalid."
    ),
    "TooManyRequests": Problem(429, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections."),
    "InternalServerError": Problem(
        500,
        "Internal Server Error",
        "A deep, internal error has occurred during the processing of your request. Please contact support.",
    ),
    "ComplianceRelated": Problem(
        500, "Compliance Related", "We're temporarily refusing this request for compliance reasons."
    ),
}
