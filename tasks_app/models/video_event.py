"""What a video app says of a thank-you: sent, watched, replied. Each has the app's own id and is counted once (T7)."""

from django.db import models
from django.utils import timezone

from contacts.tenancy.models import TenantOwned
from tasks_app.models.thank_you import ThankYou


class VideoEvent(TenantOwned):
    """One event. `seconds` and `percent` are of watching, `text` is of a reply."""

    class Kind(models.TextChoices):
        SENT = "sent", "Video sent"
        WATCHED = "watched", "Video watched"
        REPLIED = "replied", "Replied"

    thank_you = models.ForeignKey(ThankYou, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    event_id = models.CharField(max_length=200)
    at = models.DateTimeField()
    video_id = models.CharField(max_length=200, blank=True)
    link = models.URLField(max_length=500, blank=True)
    seconds = models.PositiveIntegerField(null=True)
    percent = models.PositiveSmallIntegerField(null=True)
    text = models.TextField(blank=True)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantOwned.Meta):
        ordering = ["at", "pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "event_id"], name="video_event_once")]
        indexes = [models.Index(fields=["thank_you", "at"], name="video_event_by_thank_you")]

    def __str__(self) -> str:
        how_much = f" ({self.percent}%)" if self.percent is not None else ""
        return f"{self.get_kind_display()}{how_much}"
