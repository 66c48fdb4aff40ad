"""Why an interaction was not saved, in plain words, beside the reasons in `words`: (title, sentence, what can be done,
whether Retry can help, its button)."""

REASONS: dict[str, tuple[str, str, str, bool, str]] = {
    "no_donor_id": (
        "No donor number",
        "This contact has no number of a donor at {service}, so there is nobody there to save it on.",
        "Enter their donor number at {service} as “Custom user id” on the contact’s page. Almoner saves it within "
        "the hour, or at once by Save now.",
        True, "Save now",
    ),
    "person_gone": (
        "The donor is not there any more",
        "{service} has no donor with this number any more: they were deleted or merged with another one.",
        "Enter their present donor number as “Custom user id” on the contact’s page, then press Save now.",
        True, "Save now",
    ),
    "sent_before": (
        "Sent before the switch was on",
        "The video was sent before somebody turned on that such things are saved at {service}.",
        "Nothing to do: what was before is left alone.",
        False, "",
    ),
    "switched_off": (
        "Switched off meanwhile",
        "Before this could be saved, somebody turned off that such things are saved at {service}.",
        "Turn the switch on and press Save now if it is to be saved after all.",
        True, "Save now",
    ),
}  # fmt: skip
