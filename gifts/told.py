"""What gifts tell on the timeline of a contact."""

from contacts import timeline

ICONS = {
    "gift": "volunteer_activism", "donation": "campaign", "pledge": "handshake", "totals of giving": "calculate",
    "milestone": "trophy", "milestone no longer met": "undo", "donor": "person_heart",
    "place in a donor club": "workspace_premium",
}  # fmt: skip
WORDS = {
    ("gift", "added"): "Gift recorded: {}",
    ("donation", "changed"): "Donation corrected where it came from: {}",
    ("pledge", "added"): "Pledge recorded: {}",
    ("totals of giving", "changed"): "Totals of giving put right",
    ("donor", "added"): "Noted as a donor",
    ("donor", "changed"): "What is noted of the donor changed",
    ("donor", "deleted"): "No donor any more",
    ("place in a donor club", "added"): "Joined the donor club {}",
    ("place in a donor club", "deleted"): "Left the donor club {}",
    ("milestone", "added"): "Milestone reached: {}",
    ("milestone no longer met", "added"): "Milestone no longer met: {}",
}


def connect() -> None:
    """Called once when the app is ready."""
    timeline.tell_apart("gifts", "Gifts", ICONS, WORDS)
