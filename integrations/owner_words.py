"""The words for whose data count (L22), for the settings page of every service; `{service}` stands for its name."""

from integrations.words import FIELDS

LABELS = {"address": "Email address"} | FIELDS
# (What the choice is called, what it means.)
OWNERS = {
    "ours": (
        "Almoner’s (recommended)",
        "What is here is sent. What somebody changes at {service} is put right again.",
    ),
    "theirs": (
        "{service}’s",
        "What {service} has stays there and is taken over here. A name that is changed here is not sent.",
    ),
    "newest": (
        "The newer one",
        "The last change counts, wherever it was made. If both sides were changed and nobody can tell which came last, "
        "Almoner’s stays, and the history of the contact says so.",
    ),
    "fill": (
        "Only fill in what is missing",
        "Each side keeps the name it has. Only where one side has none, it gets the other’s.",
    ),
}


def owner_label(owner: str, service: str) -> str:
    """The choice, for people."""
    return OWNERS[owner][0].format(service=service)


def explain_owner(owner: str, service: str) -> str:
    """What the choice leads to."""
    return OWNERS[owner][1].format(service=service)
