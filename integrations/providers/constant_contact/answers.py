"""What an answer of Constant Contact means for us: the status decides, and a pattern over the message where one status
means several things. Errors come as an array, as a single object, empty, or as a page of some machine in between.
"""

import re
from collections.abc import Callable
from typing import Any

from integrations.provider_kit.errors import Ambiguous, Reconnect, Refused, Retry
from integrations.provider_kit.http import Answer, scrub

Trouble = Retry | Ambiguous | Refused | Reconnect
LONGEST_DETAIL = 150
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
EXISTS, NAME_TAKEN, NOT_FOUND, OPTED_OUT, ASKED = (
    "address_taken",
    "name_taken",
    "not_found",
    "compliance",
    "asked_before",
)
TAKEN = "A list with this name is in Constant Contact already, and not by our doing."
BUSY = "Constant Contact is too busy to answer."

# Pattern over the message -> our reason code and a sentence for staff. The first that fits counts.
REFUSALS: list[tuple[str, str, str]] = [
    (
        r"list with the name .* exists",
        NAME_TAKEN,
        TAKEN,
    ),
    (
        r"unsubscribed|opted.?out|permission_to_send",
        OPTED_OUT,
        "This person unsubscribed at Constant Contact. Only they can undo that.",
    ),
    (
        r"email_address|email address|\baddress\b",
        "invalid_address",
        "Constant Contact does not accept this email address. Please check it.",
    ),
    (
        r"list.*(limit|maximum|at most)|(limit|maximum|at most).*list",
        "too_many_lists",
        "Constant Contact takes no more lists here: an account holds 1,000 of them, and a person is on 50 at most.",
    ),
    (r"first_name|last_name", "bad_name", "Constant Contact does not accept this person’s name. Please check it."),
]


def classify(answer: Answer, *, writes: bool) -> Trouble:
    """The outcome that an answer other than success stands for. Unknown is ambiguous; a read is simply repeated."""
    judge = VERDICTS.get(answer.status)
    # "Not found" leads us to forget somebody, so it counts only in the vendor's own words.
    if judge is not None and (answer.status not in IN_WORDS or isinstance(answer.json, list | dict)):
        return judge(answer)
    if 400 <= answer.status < 500 and isinstance(answer.json, list | dict):
        return refusal(told(answer.json))
    sentence = f"Constant Contact gave no clear answer (status {answer.status})."
    return Ambiguous(sentence, answer.retry_after) if writes else Retry(sentence, answer.retry_after)


def refusal(detail: str) -> Refused:
    """What a person or list was refused for."""
    for pattern, code, sentence in REFUSALS:
        if re.search(pattern, detail, re.IGNORECASE):
            return Refused(code, sentence)
    return Refused("refused", f"Constant Contact refused this: {short(detail)}")


def told(content: Any) -> str:
    """The messages of an error, whether it is an array of them, a single one, or something else."""
    rows = content if isinstance(content, list) else [content]
    said = [str(row.get("error_message") or row.get("message") or "") for row in rows if isinstance(row, dict)]
    said += [row for row in rows if isinstance(row, str)]
    return "; ".join(filter(None, said))


def key_of(content: Any) -> str:
    """The vendor's own name of an error, or ""."""
    rows = content if isinstance(content, list) else [content]
    return next((str(row.get("error_key") or "") for row in rows if isinstance(row, dict)), "")


def short(text: str) -> str:
    """A vendor's words, cut and cleaned for a sentence of ours; ids mean nothing to people."""
    text = UUID.sub("…", scrub(" ".join(text.split()))) or "no reason was given."
    return text if len(text) <= LONGEST_DETAIL else text[:LONGEST_DETAIL] + "…"


def _conflict(answer: Answer) -> Trouble:
    """Somebody with this address, or a list of this name, is there already; the id of a contact is in the text."""
    text = told(answer.json)
    if re.search(r"resubscribe|already (been )?sent", text, re.IGNORECASE):
        return Refused(ASKED, ASKED_BEFORE)
    if re.search(r"\bname\b", text, re.IGNORECASE):
        return Refused(NAME_TAKEN, TAKEN)
    if UUID.search(text) or re.search(r"email", text, re.IGNORECASE):
        return Refused(EXISTS, "Somebody with this address is in Constant Contact already.")
    return refusal(text)


ASKED_BEFORE = (
    "Constant Contact asks each person only once, and has asked this one before. They can sign up again on your "
    "Constant Contact sign-up form."
)
VERDICTS: dict[int, Callable[[Answer], Trouble]] = {
    401: lambda _: Reconnect("Constant Contact no longer accepts the permission that was given. Connect again."),
    # In its own words it is a decision about this permission; an empty answer or a page is a machine in between.
    403: lambda answer: (
        Reconnect(FORBIDDEN) if isinstance(answer.json, list | dict) else Retry(BUSY, answer.retry_after)
    ),
    404: lambda _: Refused(NOT_FOUND, "Constant Contact no longer knows this person or this list."),
    409: _conflict,
    429: lambda answer: Retry(
        "Constant Contact asked for a pause, because it is called too often.", answer.retry_after
    ),
}
FORBIDDEN = "Constant Contact does not allow this with the permission that was given. Connect again."
IN_WORDS = (404, 409)
