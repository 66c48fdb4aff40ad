"""The languages that a contact speaks, in their order."""

from django.db import models

from contacts.models.contact import Contact, PartOfContact


class SpokenLanguage(PartOfContact):
    """One language of one contact, by its code (“en”, “pt-BR”)."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="languages")
    code = models.CharField(max_length=35)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta(PartOfContact.Meta):
        ordering = ["position", "pk"]
        verbose_name = "language"
        constraints = [models.UniqueConstraint(fields=["contact", "code"], name="language_once_per_contact")]

    def __str__(self) -> str:
        return self.code
