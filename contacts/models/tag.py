"""Tags: a tenant's own words for contacts."""

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from contacts.models.contact import Contact
from contacts.models.recorded import Recorded
from contacts.tenancy.models import TenantOwned


class Tag(TenantOwned):
    """A word staff put on contacts, such as “volunteer 2026”."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "tenant", Lower("name"), name="tag_name_once", violation_error_message="There is a tag of that name."
            )
        ]

    def __str__(self) -> str:
        return self.name


class ContactTag(Recorded):
    """One tag on one contact."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="contact_tags")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="contact_tags")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    subject_relations = ("contact", "tag")

    class Meta(Recorded.Meta):
        ordering = ["tag__name"]
        verbose_name = "tag"
        constraints = [models.UniqueConstraint(fields=["contact", "tag"], name="tag_once_per_contact")]

    def __str__(self) -> str:
        return str(self.tag)

    def contact_uid_concerned(self) -> uuid.UUID | None:
        return self.contact.uid
