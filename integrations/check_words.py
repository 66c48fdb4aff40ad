"""What a check found, in plain words: each way in which a service differs from what is here, and what mends it."""

from dataclasses import dataclass
from typing import Any

from integrations.words import explain


@dataclass(frozen=True, slots=True)
class DifferenceWords:
    """A way in which a service differs from what is here (L31): its name, what it means, what a repair does, and what
    it has done."""

    label: str
    tone: str
    sentence: str
    repair: str
    done: str


# In the order in which people want to read them; for people, and where a list itself differs.
DIFFERENCES: dict[str, DifferenceWords] = {
    "consent": DifferenceWords(
        "Different consent", "warn",
        "They are not to be written to, as it stands here, but {service} still sends to them.",
        "Repair unsubscribes them there. If they signed up again themselves, clear Do Not Contact on their page.",
        "Unsubscribed there.",
    ),
    "missing": DifferenceWords(
        "Missing there", "info", "On a list here, but not at {service}.", "Repair puts them on it there.",
        "Put on it there.",
    ),
    "extra": DifferenceWords(
        "Extra there", "warn", "On a list at {service}, but not here.", "Repair takes them off it there.",
        "Taken off it there.",
    ),
    "differs": DifferenceWords(
        "Differs", "info", "The name or the email address at {service} is another one.", "Repair sends yours.",
        "Yours was sent.",
    ),
    "not_ours": DifferenceWords(
        "Put there by others", "plain",
        "On a list of yours at {service}, where somebody else put them. Almoner leaves them alone.",
        "Adopt them, and they are on the list here as well, as new contacts if nobody here has the address; the "
        "consent ledger notes where they come from. Nobody who unsubscribed is adopted.",
        "Kept in step from now on.",
    ),
}  # fmt: skip
OF_A_LIST: dict[str, DifferenceWords] = {
    "missing": DifferenceWords(
        "Missing there", "info", "The list is not at {service} any more.",
        "Repair makes it again and puts its members on it.", "Made again.",
    ),
    "extra": DifferenceWords(
        "Extra there", "warn", "The list was deleted here and is still at {service}.", "Repair deletes it there.",
        "Deleted there.",
    ),
    "differs": DifferenceWords(
        "Differs", "info", "The list is called something else there.", "Repair renames it.", "Renamed there.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A row of a check made ready to show."""

    label: str
    tone: str
    sentence: str
    repair: str


def tell_found(item: Any, service: str) -> Found:
    """How one row of a check differs, and what can be done about it; a reason that is its own says it better."""
    words = (OF_A_LIST if item.kind == "list" else DIFFERENCES).get(item.difference) or DIFFERENCES["differs"]
    sentence, repair = words.sentence.format(service=service), words.repair.format(service=service)
    if item.verb == "heard":
        return Found(words.label, words.tone, item.reason, "")
    if item.reason_code == "removed_there":
        sentence = f"Somebody archived or deleted this person at {service}, or took them off all your lists there."
        repair = "Repair puts them back, unless it turns out that they had unsubscribed."
    elif item.reason_code or item.state in ("skipped", "refused", "changed"):
        reason = explain(item.reason_code, item.reason, service) if item.reason_code else None
        sentence = f"{reason.title}. {reason.sentence}" if reason else item.reason
        repair = reason.remedy if reason else ""
    elif item.verb == "adopt":
        sentence, repair = tell_offer(item, service)
    if item.state == "done":
        sentence, repair = words.done, ""
    return Found(words.label, words.tone, sentence, repair)


def tell_offer(item: Any, service: str) -> tuple[str, str]:
    """What adopting this person means: of whom it is known who they are here, or of a stranger."""
    if item.operations and item.operations[0].get("before"):
        return (
            f"On this list here, too, but was at {service} before Almoner came.",
            f"Already kept in step. Adopt them, and Almoner may switch them off at {service} when they are on no list.",
        )
    return (
        f"On your list at {service}, where somebody else put them; not on it here.",
        "Adopt them, and they are on the list here as well.",
    )
