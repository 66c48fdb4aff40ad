"""The rows of this app, by noun."""

from tasks_app.models.note import Note, NoteTemplate
from tasks_app.models.reason import Reason
from tasks_app.models.thank_you import ThankYou
from tasks_app.models.video_event import VideoEvent
from tasks_app.models.wishes import Notifications, ThanksSettings

__all__ = ["Note", "NoteTemplate", "Notifications", "Reason", "ThankYou", "ThanksSettings", "VideoEvent"]
