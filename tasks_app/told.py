"""What thank-yous tell on the timeline of a contact: what was asked, done and withdrawn, and what became of videos."""

from django.http import HttpRequest

from contacts import timeline
from contacts.timeline import Entry, Line, Subject, Window
from tasks_app.models import VideoEvent

ICONS = {
    "thank-you": "favorite", "note": "mail", "reason withdrawn": "undo", "left in peace": "spa",
    "note not made": "mail_off",
}  # fmt: skip
WORDS = {
    ("thank-you", "added"): "Somebody is asked to thank them",
    ("thank-you", "changed"): "Thank-you",
    ("note", "added"): "A note by email is to go out",
    ("note", "changed"): "Note by email",
    ("reason withdrawn", "added"): "No reason to thank any more: {}",
    ("left in peace", "added"): "Not thanked for a further gift: {}",
    ("note not made", "added"): "No note: {}",
}
VIDEO_ICONS = {"sent": "send", "watched": "visibility", "replied": "reply"}


def connect() -> None:
    """Called once when the app is ready."""
    timeline.tell_apart("thanks", "Thank-yous", ICONS, WORDS)
    timeline.add_source("videos", "Videos", read_videos)


def read_videos(request: HttpRequest, subject: Subject, window: Window) -> list[Entry]:
    """What the video app said."""
    rows = window.of(VideoEvent.objects.filter(thank_you__contact__uid__in=subject.uids))
    return [
        Entry(row.at, "videos", VIDEO_ICONS[row.kind], "The donor" if row.kind != "sent" else "Video app",
              [Line(str(row), note=row.text)], "", (window.number, row.pk))
        for row in rows
    ]  # fmt: skip
