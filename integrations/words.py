"""Every reason and operation in plain words, in one place: pages, reports and exports all speak through this module.

It knows no model and no provider; `{service}` stands for the service's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations import gift_words, undo_words


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody is not sent: a short title, a sentence, what can be done, and whether *Retry* can help."""

    title: str
    sentence: str
    remedy: str
    retry_helps: bool = False
    button: str = "Retry"


REASONS: dict[str, Reason] = {
    "no_email": Reason(
        "No email address",
        "This contact has no primary email address.",
        "Add an email address and mark it as primary; it is then sent by itself.",
    ),
    "email_bounced": Reason(
        "Address bounced",
        "Mail to the primary email address came back.",
        "Enter an address that works, or mark this one as good again if you know that it works.",
    ),
    "email_complained": Reason(
        "Reported your mail as spam",
        "Whoever reads the primary email address reported your mail as spam, which is their own word.",
        "Nothing to do. Only they can take it back: if they asked to be written to again, note it on their page.",
    ),
    "email_invalid": Reason(
        "Not a valid address",
        "The primary email address is not a valid address.",
        "Correct the email address.",
    ),
    "dnc_contact": Reason(
        "Do Not Contact",
        "Do Not Contact is set for this contact, everywhere.",
        "Nothing to do. Clear Do Not Contact only if the person asked for it.",
    ),
    "dnc_list": Reason(
        "Do Not Contact on this list",
        "Do Not Contact is set for this contact on every synchronized list they are on.",
        "Nothing to do. Clear it on the list only if the person asked for it.",
    ),
    "opted_out": Reason(
        "Opted out",
        "This person unsubscribed. Their own decision comes before every Sync.",
        "Only the person can change this, by signing up again.",
    ),
    "waiting_confirmation": Reason(
        "Waits for their confirmation",
        "{service} has asked this person to confirm by email that they want to be subscribed again.",
        "Nothing to do until they answer. You may ask them to look for the message.",
    ),
    "not_on_a_list": Reason(
        "Not on a synchronized list",
        "This contact is on no list that is synchronized.",
        "Add them to a synchronized list, or switch synchronizing on for one of their lists.",
    ),
    "deleted": Reason("Deleted here", "This contact or list was deleted in Almoner.", "Nothing to do."),
    "removed_there": Reason(
        "Removed at {service}",
        "Somebody archived or deleted this person at {service}, or took them off all your lists there.",
        "If that was a mistake, press Retry to put them back.",
        retry_helps=True,
    ),
    "cleaned_there": Reason(
        "Address rejected by {service}",
        "{service} found that mail to this address comes back, or that the person reported it as spam.",
        "Enter another address for this contact.",
    ),
    "forgotten": Reason(
        "Erased at {service}",
        "This person was permanently deleted at {service}, and {service} takes them back only if they sign up "
        "themselves.",
        "Send the person the sign-up form of {service}.",
    ),
    "fake_address": Reason(
        "Looks like a made-up address",
        "{service} believes that this address is not real and does not accept it.",
        "Enter the person's real address. If it is real, ask {service} to accept it and press Retry.",
        retry_helps=True,
    ),
    "invalid_address": Reason(
        "{service} does not accept the address",
        "{service} says that this is not a valid email address.",
        "Correct the email address, then press Retry.",
        retry_helps=True,
    ),
    "compliance": Reason(
        "Only the person can subscribe again",
        "This person unsubscribed at {service}, was removed for bounces or is under review there. Only they can "
        "subscribe themselves again.",
        "Send the person the sign-up form of {service}; once they have signed up, press Retry.",
        retry_helps=True,
    ),
    "asked_before": Reason(
        "Was asked once already",
        "{service} asks each person only once whether they want to come back, and has asked this one before.",
        "Send the person the sign-up form of {service}. Once they have signed up, they are on the list there.",
    ),
    "bad_name": Reason(
        "{service} does not accept the name",
        "{service} did not accept something in this person's name.",
        "Correct the name, then press Retry.",
        retry_helps=True,
    ),
    "too_many_lists": Reason(
        "Too many lists at {service}",
        "{service} limits how many lists there are, and on how many of them one person can be.",
        "Delete lists there that are not needed, or synchronize fewer, then press Retry.",
        retry_helps=True,
    ),
    "merge_fields": Reason(
        "{service} asks for more details",
        "The audience at {service} requires a field that Almoner does not fill, or did not accept a value.",
        "Make the field optional at {service} or correct the value here, then press Retry.",
        retry_helps=True,
    ),
    "plan_limit": Reason(
        "The plan at {service} is full",
        "Your plan at {service} does not allow more contacts or more audiences.",
        "Make room or choose a larger plan at {service}, then press Retry.",
        retry_helps=True,
    ),
    "not_permitted": Reason(
        "Not permitted",
        "The person who connected {service} may not do this there.",
        "Have somebody with more rights at {service} connect it again, then press Retry.",
        retry_helps=True,
    ),
    "address_taken": Reason(
        "Address belongs to somebody else there",
        "Another contact at {service} has this address already.",
        "Look for two contacts with the same address, here and at {service}, then press Retry.",
        retry_helps=True,
    ),
    "cannot_change_address": Reason(
        "Address cannot be changed there",
        "{service} does not let us change the address of this person.",
        "Change it at {service} by hand, then press Retry.",
        retry_helps=True,
    ),
    "not_found": Reason(
        "Not known at {service} any more",
        "{service} no longer knows this person or this list.",
        "Press Retry; if it happens again, make a Sync.",
        retry_helps=True,
    ),
    "not_possible": Reason(
        "Not possible there",
        "{service} cannot do this to this person as they stand there now.",
        "Look at the person at {service}, then press Retry.",
        retry_helps=True,
    ),
    "name_taken": Reason(
        "The name is taken there",
        "There is something of that name at {service} already, and not by Almoner's doing.",
        "Press Use the list that is there: whoever is on it there stays on it. Or rename this list.",
        retry_helps=True,
        button="Use the list that is there",
    ),
    "not_reachable": Reason(
        "{service} cannot reach Almoner",
        "{service} could not open the address that Almoner gave it for its messages.",
        "Tell whoever runs Almoner for you, and press Try again on the card afterwards.",
    ),
    "refused": Reason(
        "Refused by {service}",
        "{service} did not accept this.",
        "Read what {service} answered, correct what it names, then press Retry.",
        retry_helps=True,
    ),
    "brake": Reason(
        "Waits for your answer",
        "Sending this would take many people off one list at once, so Almoner stopped and asks first.",
        "Answer the question on the Integrations page.",
    ),
    "kept": Reason(
        "Left on the list",
        "Somebody here decided to leave this person on the list at {service} for now.",
        "Nothing to do. The next change of this contact, or the next Sync, brings the question up again.",
    ),
    "other_address": Reason(
        "Not their primary address",
        "Somebody here has this email address, but not as their primary one.",
        "Nothing to do, unless you want to adopt them: then make it that contact's primary one, and check again.",
    ),
    "not_chosen": Reason(
        "Not chosen",
        "Whoever confirmed did not choose this row, so nothing was sent.",
        "Nothing to do. The next check or Sync shows it again if it still differs.",
    ),
    "try_later": Reason(
        "{service} could not do it yet",
        "{service} could not do this for now.",
        "Nothing to do: Almoner tries again by itself.",
    ),
    "vendor_error": Reason(
        "{service} answers with an error",
        "{service} answered with an error every time, while it took everybody else's changes.",
        "Almoner tries again by itself; press Retry to have it tried at once. If it goes on, tell "
        "the support of {service}.",
        retry_helps=True,
    ),
    "list_not_there_yet": Reason(
        "The list is not there yet",
        "The list has to exist at {service} first; it was not created yet.",
        "Nothing to do if it is on its way. If the list itself was refused, mend that first and press Retry.",
        retry_helps=True,
    ),
    "internal": Reason(
        "A fault in Almoner",
        "Something went wrong inside Almoner. Nothing was lost, and the others went on.",
        "Press Retry. If it happens again, tell whoever runs Almoner for you.",
        retry_helps=True,
    ),
}
REASONS |= {code: Reason(*said) for code, said in (undo_words.REASONS | gift_words.REASONS).items()}
UNKNOWN = Reason("Not sent", "This was not sent.", "Press Retry.", retry_helps=True)


@dataclass(frozen=True, slots=True)
class Explained:
    """A reason made ready to show."""

    code: str
    title: str
    sentence: str
    remedy: str
    retry_helps: bool
    button: str = "Retry"


def explain(code: str, said: str = "", service: str = "the service") -> Explained:
    """The reason behind a code; `said` is what the service or the engine said about this very case."""
    reason = REASONS.get(code, UNKNOWN)
    return Explained(
        code,
        reason.title.format(service=service),
        said or reason.sentence.format(service=service),
        reason.remedy.format(service=service),
        reason.retry_helps,
        reason.button,
    )


@dataclass(frozen=True, slots=True)
class VerbWords:
    """One kind of change: as a label, and as the end of “12 people will be …”."""

    label: str
    phrase: str
    tone: str = "plain"
    is_list: bool = False


# In the order in which people want to read them.
VERBS: dict[str, VerbWords] = {
    "create_list": VerbWords("Create list", "created", "good", is_list=True),
    "rename_list": VerbWords("Rename list", "renamed", "info", is_list=True),
    "use_list": VerbWords("Use the list there", "taken over as they are", "info", is_list=True),
    "delete_list": VerbWords("Delete list", "deleted", "bad", is_list=True),
    "create": VerbWords("Add", "added", "good"),
    "update": VerbWords("Update", "updated", "info"),
    "move": VerbWords("Move", "moved to another audience", "info"),
    "enable": VerbWords("Subscribe again", "subscribed again", "good"),
    "ask": VerbWords("Ask to confirm", "asked to confirm by email", "info"),
    "opt_out": VerbWords("Unsubscribe", "unsubscribed", "warn"),
    "disable": VerbWords("Take off", "taken off", "warn"),
    "adopt": VerbWords("Adopt", "adopted", "good"),
    "skip": VerbWords("Leave out", "left out", "plain"),
    "heard": VerbWords("Heard from there", "", "info"),
}


def verb_label(verb: str) -> str:
    """A kind of change as a label; an unknown one is at least readable."""
    return VERBS[verb].label if verb in VERBS else verb.replace("_", " ").capitalize()


def number(count: int) -> str:
    """A number as people write it: 1,204."""
    return f"{count:,}"


def some(count: int, one: str, many: str) -> str:
    """“1 person”, “1,204 people”."""
    return f"{number(count)} {one if count == 1 else many}"


def joined(parts: list[str]) -> str:
    """“a”, “a and b”, “a, b and c”."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def sum_up(counts: Mapping[str, int], ahead: bool = False) -> list[str]:
    """The counts as sentences: “1,204 people will be added, 31 updated and 3 taken off.”; or, looking back, without
    “will be”."""
    return [
        sentence
        for is_list, one, many in ((False, "person", "people"), (True, "list", "lists"))
        if (sentence := _sentence(counts, is_list, one, many, ahead))
    ]


def _sentence(counts: Mapping[str, int], is_list: bool, one: str, many: str, ahead: bool) -> str:
    parts: list[str] = []
    for verb, words in VERBS.items():
        count = counts.get(verb, 0)
        if words.is_list != is_list or verb in ("skip", "heard") or not count:
            continue
        if parts:
            parts.append(f"{number(count)} {words.phrase}")
        else:
            parts.append(f"{some(count, one, many)} {'will be ' if ahead else ''}{words.phrase}")
    return joined(parts) + "." if parts else ""


STANDINGS = {
    "subscribed": "Subscribed",
    "pending": "Asked to confirm",
    "unsubscribed": "Unsubscribed",
    "cleaned": "Address rejected",
    "archived": "Switched off",
    "removed": "Removed there",
}
FIELDS = {"FNAME": "First name", "LNAME": "Last name", "first_name": "First name", "last_name": "Last name"}
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that an operation changes: its name, how it was and how it will be."""

    label: str
    before: str
    after: str

    def __str__(self) -> str:
        before = "" if self.before == NOTHING else f"{self.before} → "
        return f"{self.label}: {before}{self.after}"


def differences(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None, lists: Mapping[str, str]
) -> list[Difference]:
    """What changes between two states of a person (or list) at a service; `lists` gives the lists' names by uid."""
    old, new = _readable(before or {}), _readable(after or {})
    found = [
        Difference(label, old.get(label, NOTHING) or NOTHING, new.get(label, NOTHING) or NOTHING)
        for label in {**new, **old}
        if old.get(label, "") != new.get(label, "")
    ]
    was, now = _lists_of(before or {}), _lists_of(after or {})
    for label, uids in (("Put on", now - was), ("Taken off", was - now)):
        if uids:
            found.append(
                Difference(label, NOTHING, ", ".join(sorted(lists.get(uid, "a deleted list") for uid in uids)))
            )
    return found


def _lists_of(state: Mapping[str, object]) -> set[str]:
    uids = state.get("lists")
    return {str(uid) for uid in uids} if isinstance(uids, list) else set()


def _readable(state: Mapping[str, object]) -> dict[str, str]:
    """{label: value} of a state, in words."""
    shown: dict[str, str] = {}
    if name := state.get("name"):
        shown["Name"] = str(name)
    if address := state.get("address"):
        shown["Email address"] = str(address)
    if standing := state.get("standing"):
        shown["State"] = STANDINGS.get(str(standing), str(standing))
    if isinstance(fields := state.get("fields"), Mapping):
        shown |= {FIELDS.get(key, key.replace("_", " ").capitalize()): str(value) for key, value in fields.items()}
    return shown


def lasting(seconds: float) -> str:
    """A length of time for people: “3 minutes”, “about 2 hours”."""
    if seconds < 60:
        return "less than a minute"
    if seconds < 90 * 60:
        return f"about {some(round(seconds / 60), 'minute', 'minutes')}"
    if seconds < 36 * 3600:
        return f"about {some(round(seconds / 3600), 'hour', 'hours')}"
    return f"about {some(round(seconds / 86400), 'day', 'days')}"
