"""A sign of life of the background work: the sweep leaves one every minute, the supervisor and /healthz look at it."""

from django.db import models
from django.utils import timezone

SWEEP = "sweep"


class Heartbeat(models.Model):
    """When something last happened, by name. It belongs to the installation, not to an organization."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"


def beat(name: str = SWEEP) -> None:
    """It happened now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def age(name: str = SWEEP) -> float | None:
    """Seconds since it last happened, or None if it never did."""
    row = Heartbeat.objects.filter(name=name).first()
    return (timezone.now() - row.at).total_seconds() if row else None
