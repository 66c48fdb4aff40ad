"""What an answer of DonorPerfect means for us. Its status is 200 whatever happened; the body decides (section 5).

| the answer says | it means | outcome |
| --- | --- | --- |
| `user not authorized …` with an `<error>` | our call was wrong; the error says how | refused |
| the same without one | the key, or a call with something wrong in it | asked again, by the simplest call there is |
| `Invalid token.`, `login failed`, `bad api key` | wrong key | reconnect |
| `… Parameter name: bytes` | the key was encoded twice or cut off | reconnect |
| `SQL statement not allowed`, `expects parameter` | a fault of ours | refused |
| a primary key is violated | it is so already | done |
| empty, HTML, 5xx, 429 | trouble there | retry; for a write, ambiguous |
"""

import re

from integrations.provider_kit.errors import Ambiguous, CallFailed, Reconnect, Refused, Retry
from integrations.provider_kit.http import Answer, scrub
from integrations.providers.donor_perfect.damaged import Content, Unreadable, read

Trouble = Retry | Ambiguous | Refused | Reconnect
NOT_AUTHORIZED = "user not authorized for this api call"
LONGEST_DETAIL = 200
DRIVER = re.compile(r"(\[[^\]]*\])+\s*")
IN_DOUBT, OUR_FAULT = "in_doubt", "our_fault"
BUSY = "DonorPerfect is too busy to answer."
UNCLEAR = "DonorPerfect gave no clear answer."
WRONG_KEY = (
    "DonorPerfect no longer accepts the key that is stored here. Enter the key again, or ask DonorPerfect for one."
)
CUT_KEY = (
    "DonorPerfect cannot read the key that is stored here: part of it is missing, or a program on the way changed its "
    "signs. Copy the whole key out of DonorPerfect’s message again."
)
DOUBT = Refused(IN_DOUBT, "DonorPerfect refused this and gave no reason.")
# Pattern over everything that the refusal says -> what it means. The first that fits counts.
MEANINGS: list[tuple[str, Trouble]] = [
    (r"array cannot be null|parameter name: bytes", Reconnect(CUT_KEY)),
    (r"invalid token|login failed|bad api key", Reconnect(WRONG_KEY)),
    (
        r"sql statement not allowed|expects parameter|is not a parameter for procedure|could not find stored procedure",
        Refused(OUR_FAULT, "DonorPerfect does not take this call. Tell the operator of this installation."),
    ),
]
THERE_ALREADY = re.compile(r"violation of primary key constraint", re.IGNORECASE)


def content_of(answer: Answer, *, writes: bool) -> Content:
    """What a good answer holds; raises `CallFailed` for every other one."""
    if answer.status != 200:
        raise CallFailed(by_status(answer, writes=writes))
    try:
        content = read(answer.body)
    except Unreadable:
        raise CallFailed(Ambiguous(UNCLEAR) if writes else Retry(UNCLEAR)) from None
    if content.is_refusal and not (writes and THERE_ALREADY.search(content.error)):
        raise CallFailed(refusal(content))
    return content


def by_status(answer: Answer, *, writes: bool) -> Trouble:
    """DonorPerfect itself always says 200: anything else is a machine in trouble, or one in between."""
    if answer.status == 429:
        return Retry("DonorPerfect asked for a pause, because it is called too often.", answer.retry_after)
    sentence = f"DonorPerfect gave no clear answer (status {answer.status})."
    return Ambiguous(sentence, answer.retry_after) if writes else Retry(sentence, answer.retry_after)


def refusal(content: Content) -> Trouble:
    """What a refusal means; nothing was done there."""
    said = f"{content.reason} {content.error}"
    for pattern, meaning in MEANINGS:
        if re.search(pattern, said, re.IGNORECASE):
            return meaning
    if content.error:
        return Refused("refused", f"DonorPerfect refused this: {short(content.error)}")
    if NOT_AUTHORIZED in content.reason.lower() or not content.reason:
        return DOUBT
    return Refused("refused", f"DonorPerfect refused this: {short(content.reason)}")


def short(text: str) -> str:
    """The vendor's words, cut and cleaned for a sentence of ours."""
    text = scrub(" ".join(DRIVER.sub("", text).split()))
    return text if len(text) <= LONGEST_DETAIL else text[:LONGEST_DETAIL] + "…"
