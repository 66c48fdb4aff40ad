"""An interaction as it is written into DonorPerfect: its parameters, its words, and the marker by which it is found.

dp_savecontact knows no idempotency key (dossier, section 11). A marker of fixed length behind the comment takes its
place; it holds no sign that LIKE would read as a wildcard.
"""

import hashlib
import re
from datetime import date
from uuid import UUID

from integrations.providers.donor_perfect.wire import Value, cleaned

LONGEST_COMMENT, LONGEST_CODE, LONGEST_USER = 4000, 30, 20
USER = "Almoner"
MARKER = re.compile(r"ref te-[0-9a-f]{16}")
# Signs that DonorPerfect damages, drops, or reads as wildcards in a search.
INSTEAD = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": "'", "\u201d": "'", "\u2013": "-", "\u2014": "-", "\u2026": "..."}
    | {'"': "'", "`": "'", "%": " percent"}
)


def marker_for(uid: UUID) -> str:
    """The marker of an event: always the same for the same one, and of the same length for all."""
    return f"ref te-{hashlib.sha256(uid.bytes).hexdigest()[:16]}"


def checked(marker: str) -> str:
    """The same marker, if it is one."""
    if not MARKER.fullmatch(marker):
        raise ValueError("Markers are made by marker_for.")
    return marker


def words(comment: str, marker: str) -> str:
    """What stands in DonorPerfect: plain text with the marker at its end, whole whatever is cut."""
    text = " ".join(cleaned(comment.translate(INSTEAD)).split())
    room = LONGEST_COMMENT - len(marker) - 1
    return f"{text[:room].rstrip()} {checked(marker)}".strip()


def parameters(
    donor_id: int, on: date, activity_code: str, comment: str, marker: str, by_whom: str | None = None
) -> dict[str, Value]:
    """All twelve, as none may be left out. Done on the same day, so that it is nobody's open task."""
    return {
        "contact_id": 0,
        "donor_id": int(donor_id),
        "activity_code": activity_code[:LONGEST_CODE],
        "mailing_code": None,
        "by_whom": by_whom[:LONGEST_CODE] if by_whom else None,
        "contact_date": on,
        "due_date": None,
        "due_time": None,
        "completed_date": on,
        "comment": words(comment, marker),
        "document_path": None,
        "user_id": USER[:LONGEST_USER],
    }
