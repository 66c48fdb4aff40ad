"""The vendor's refusals: an array of errors for resources, one object for authentication and limits.

Keys that the dossier does not give are our own, and no client should match them: 403, 405, 415 and the full queue.
"""

from __future__ import annotations

from typing import Any

from tests.fakes.acts import Refusal

CONTACTS = "contacts.api"


class Problem(Refusal):
    """A refusal."""

    def __init__(self, status: int, key: str, *messages: str, is_single: bool = False) -> None:
        super().__init__("; ".join(messages))
        self.status, self.key, self.messages, self.is_single = status, key, messages, is_single

    def document(self) -> Any:
        errors = [{"error_key": self.key, "error_message": message} for message in self.messages]
        return errors[0] if self.is_single else errors


def invalid(*messages: str) -> Problem:
    """400: malformed, or against a rule."""
    return Problem(400, f"{CONTACTS}.validation.error", *messages)


def conflict(message: str) -> Problem:
    return Problem(409, f"{CONTACTS}.conflict", message)


def address_taken(contact_id: str) -> Problem:
    """The id of the contact that has the address is told in the text, and nowhere else."""
    return conflict(f"Email already exists for contact {contact_id}")


def not_found(message: str = "The requested resource was not found.") -> Problem:
    return Problem(404, f"{CONTACTS}.not_found", message)


def forbidden(message: str) -> Problem:
    return Problem(403, "forbidden", message)


def unauthorized() -> Problem:
    return Problem(401, "unauthorized", "Unauthorized", is_single=True)


def throttled() -> Problem:
    return Problem(429, "throttled", "Too Many Requests", is_single=True)


def quota_exceeded() -> Problem:
    return Problem(429, "quota_exceeded", "Limit Exceeded", is_single=True)


def queue_full(most: int) -> Problem:
    message = f"Too many requests. You exceeded {most:,} queued activities for this user account."
    return Problem(429, "too_many_requests", message, is_single=True)


def wrong_media() -> Problem:
    return Problem(415, "unsupported_media_type", "Unsupported Media Type.")


def internal() -> Problem:
    return Problem(500, "internal_server_error", "There was a problem with our internal service.")


def no_such_method() -> Problem:
    return Problem(405, "method_not_allowed", "Method Not Allowed", is_single=True)
