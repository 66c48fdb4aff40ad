"""What an answer of Mailchimp means for us: one table, for whole calls and for the rows of a bulk call alike.

Status and a pattern over the detail decide; titles may be translated, and `type` is missing on some errors.
"""

import re
from collections.abc import Callable
from typing import Any

from integrations.provider_kit.errors import Ambiguous, Reconnect, Refused, Retry
from integrations.provider_kit.http import Answer, scrub

Trouble = Retry | Ambiguous | Refused | Reconnect
DAY = 86_400.0
LONGEST_DETAIL = 150

EXISTS = "ERROR_CONTACT_EXISTS"  # of a row in a bulk call

# Pattern over the detail -> our reason code and a sentence for staff.
REFUSALS: list[tuple[str, str, str]] = [
    (
        r"compliance state",
        "compliance",
        "This person unsubscribed, or mail to them bounced. At Mailchimp only they can undo that.",
    ),
    (
        r"permanently deleted|forgotten",
        "forgotten",
        "This person was permanently deleted in Mailchimp. They can only come back by signing up themselves.",
    ),
    (
        r"looks fake or invalid",
        "fake_address",
        "Mailchimp thinks that this address is not a real one. Please check it.",
    ),
    (r"valid email address", "invalid_address", "Mailchimp says that this is not a valid email address."),
    (
        r"already in this list|already a list member",
        "address_taken",
        "Somebody with this address is in the audience already.",
    ),
    (
        r"only update email addresses",
        "cannot_change_address",
        "Mailchimp changes the address of subscribed people only, and this person is not subscribed there.",
    ),
    (
        r"verify the URL",
        "not_reachable",
        "Mailchimp could not reach this installation at its public address, so it cannot send messages to it.",
    ),
    (r"tag already exists", "name_taken", "A tag with this name is in the audience already, and not by our doing."),
]
SIGNED_UP_A_LOT = re.compile(r"signed up to a lot of lists", re.IGNORECASE)
MERGE_FIELDS = re.compile(r"merge fields", re.IGNORECASE)


def classify(answer: Answer, *, writes: bool) -> Trouble:
    """The outcome that an answer other than success stands for. Unknown is ambiguous; a read is simply repeated."""
    judge = VERDICTS.get(answer.status)
    # "Not found" leads us to forget somebody, so it counts only in the vendor's own words.
    if judge is not None and (answer.status not in IN_WORDS or isinstance(answer.json, dict)):
        return judge(answer)
    if 400 <= answer.status < 500 and isinstance(answer.json, dict):
        return refusal(*told(answer.json))
    sentence = f"Mailchimp gave no clear answer (status {answer.status})."
    return Ambiguous(sentence, answer.retry_after) if writes else Retry(sentence, answer.retry_after)


def refusal(detail: str, fields: str = "") -> Refused | Retry:
    """What a refused person or list was refused for."""
    text = f"{detail} {fields}"
    if SIGNED_UP_A_LOT.search(text):
        sentence = "Mailchimp takes no more sign-ups of this address today, because it signed up to many lists lately."
        return Retry(sentence, after=DAY, alone=True)
    for pattern, code, sentence in REFUSALS:
        if re.search(pattern, text, re.IGNORECASE):
            return Refused(code, sentence)
    if MERGE_FIELDS.search(detail):
        return Refused("merge_fields", f"Mailchimp did not accept what is in a field of this person: {short(fields)}")
    return Refused("refused", f"Mailchimp refused this: {short(fields or detail)}")


def told(content: dict[str, Any]) -> tuple[str, str]:
    """The detail of an error document, and its field messages as one text."""
    rows = [row for row in content.get("errors") or [] if isinstance(row, dict)]
    fields = "; ".join(
        ": ".join(filter(None, (str(row.get("field", "")), str(row.get("message", ""))))) for row in rows
    )
    return str(content.get("detail", "")), fields


def short(text: str) -> str:
    """A vendor's words, cut and cleaned for a sentence of ours."""
    text = scrub(" ".join(text.split())) or "no reason was given."
    return text if len(text) <= LONGEST_DETAIL else text[:LONGEST_DETAIL] + "…"


def _forbidden(answer: Answer) -> Trouble:
    # An empty or HTML 403 is the content network being busy, not a decision about this account.
    if not isinstance(answer.json, dict):
        return Retry("Mailchimp is too busy to answer.", answer.retry_after)
    if "does not have access" in str(answer.json.get("detail", "")):
        return Refused(
            "not_permitted", "The Mailchimp user who connected, or the Mailchimp plan, is not allowed to do this."
        )
    return Reconnect(
        "Mailchimp does not let this account in any more. It may be closed, or the user switched off there."
    )


VERDICTS: dict[int, Callable[[Answer], Trouble]] = {
    401: lambda _: Reconnect("Mailchimp no longer accepts the permission that was given. Connect again."),
    403: _forbidden,
    404: lambda _: Refused("not_found", "Mailchimp no longer knows this person or this list."),
    405: lambda _: Refused("not_possible", "Mailchimp cannot do this to this person as they stand there now."),
    429: lambda answer: Retry("Mailchimp asked for a pause, because it is called too often.", answer.retry_after),
}
IN_WORDS = (404, 405)
