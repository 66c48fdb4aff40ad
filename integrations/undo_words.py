"""The reasons of an undo in plain words (L37), beside those in `words`: (title, sentence, what can be done)."""

REASONS = {
    "taken_back": (
        "Held as before",
        "A run was taken back, so {service} has this as it was before, and not as it is here.",
        "Nothing to do. It goes out again when something changes here about this contact or list, or when you press "
        "Sync.",
    ),
    "changed_since": (
        "Changed since",
        "After that run something else was changed at {service}, or a change here is on its way. What came later "
        "counts, so this was left alone.",
        "Look at the contact to see what happened since.",
    ),
    "shares_address": (
        "Somebody else uses the address",
        "Somebody who is not part of that run gets mail at the same email address, so nothing was taken from it.",
        "Nothing to do.",
    ),
    "address_stays": (
        "The address stays",
        "This person has another email address here now. The old one was replaced, so mail does not go to it again.",
        "If the old address is right after all, enter it here.",
    ),
    "list_is_gone": (
        "The list is not there",
        "The list that this person was on is not at {service} any more.",
        "Nothing to do.",
    ),
    "adoption_stays": (
        "The adoption stays",
        "That run adopted this person, who was at {service} before. Nothing was changed there for it, so there is "
        "nothing to put back; they are a contact on your list here.",
        "If that was a mistake, take them off the list here.",
    ),
    "list_stays": (
        "The list stays",
        "That run made this list at {service}. It is left there, empty if nobody else was put on it, and is used again "
        "with the next change.",
        "If nobody needs it, switch synchronizing off for the list here, and delete it at {service}.",
    ),
    "place_is_gone": (
        "Cannot be made again",
        "That run deleted a whole audience at {service}, with everything that was in it.",
        "If the list is still wanted, make it here, and press Sync.",
    ),
}
# What taking back means, said before anybody confirms it.
MEANING = (
    "Taking back puts {service} as it was before: lists, names and who is subscribed. Nothing changes here. "
    "So that the present state is not sent again at once, what was taken back is held: each contact goes out again "
    "when something changes here about them, or when you press Sync.",
    "Nobody who opted out, or may not be written to, is put back. Whoever that run added is switched off, not deleted. "
    "What was changed after it is left alone.",
)
