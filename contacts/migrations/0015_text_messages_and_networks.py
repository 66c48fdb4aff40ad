"""Text messages with their ledger, languages, networks of organizations, a key's list, and tags with ids of their own."""

import uuid
from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

AT_ONCE = 2_000


def give_ids(apps: Any, schema_editor: Any) -> None:
    """Every tag, and every tag on a contact, gets its own."""
    for name in ("Tag", "ContactTag"):
        rows = apps.get_model("contacts", name)._base_manager.using(schema_editor.connection.alias)
        while part := list(rows.filter(uid=None).only("pk")[:AT_ONCE]):
            for row in part:
                row.uid = uuid.uuid4()
            rows.bulk_update(part, ["uid"], batch_size=500)


UID = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
EMPTY = models.UUIDField(null=True, editable=False)
NOW = models.DateTimeField(default=django.utils.timezone.now, editable=False)


def key() -> models.Field:
    """The number of a row."""
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def owner() -> models.Field:
    """Whose row it is."""
    return models.ForeignKey(
        editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="contacts.tenant"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0014_addresses_of_organizations"),
    ]

    operations = [
        migrations.AddField("tag", "uid", EMPTY.clone()),
        migrations.AddField("tag", "created_at", NOW.clone()),
        migrations.AddField("contacttag", "uid", EMPTY.clone()),
        migrations.AddField("contacttag", "created_at", NOW.clone()),
        migrations.RunPython(give_ids, migrations.RunPython.noop, elidable=True),
        migrations.AlterField("tag", "uid", UID.clone()),
        migrations.AlterField("contacttag", "uid", UID.clone()),
        migrations.AddField(
            "phonenumber",
            "takes_texts",
            models.BooleanField(
                default=False,
                help_text="Whether somebody agreed to get text messages at this number.",
                verbose_name="text messages",
            ),
        ),
        migrations.AddField(
            "tenant",
            "parent",
            models.ForeignKey(
                blank=True,
                help_text="The organization above it in its network: subscriptions to email travel there.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="children",
                to="contacts.tenant",
                verbose_name="part of",
            ),
        ),
        migrations.AddField(
            "tenant",
            "mobile_goes_up",
            models.BooleanField(
                default=False,
                help_text="Whether subscriptions to text messages travel to the organization above, too.",
                verbose_name="mobile status goes up the network",
            ),
        ),
        migrations.AddField(
            "apitoken",
            "joins",
            models.ForeignKey(
                blank=True,
                help_text="The list that people join who come in by this key.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="contacts.contactlist",
                verbose_name="list of its people",
            ),
        ),
        migrations.CreateModel(
            name="SpokenLanguage",
            fields=[
                ("id", key()),
                ("code", models.CharField(max_length=35)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="languages", to="contacts.contact"
                    ),
                ),
                ("tenant", owner()),
            ],
            options={
                "verbose_name": "language",
                "ordering": ["position", "pk"],
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("contact", "code"), name="language_once_per_contact")],
            },
        ),
        migrations.CreateModel(
            name="MobileEvent",
            fields=[
                ("id", key()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "kind",
                    models.CharField(
                        choices=[("opt_in", "Agreed to text messages"), ("opt_out", "Wants no text messages")],
                        max_length=8,
                    ),
                ),
                ("number", models.CharField(help_text="As E.164.", max_length=20)),
                ("contact_uid", models.UUIDField()),
                ("contact_name", models.CharField(max_length=250)),
                (
                    "by",
                    models.CharField(
                        choices=[("person", "The person"), ("staff", "Staff"), ("system", "Almoner")], max_length=10
                    ),
                ),
                ("actor_label", models.CharField(max_length=250)),
                ("source", models.CharField(max_length=100)),
                ("detail", models.CharField(blank=True, max_length=250)),
                ("tenant", owner()),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "word about text messages",
                "verbose_name_plural": "words about text messages",
                "ordering": ["-at", "-pk"],
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["tenant", "number", "-at"], name="mobile_by_number"),
                    models.Index(fields=["tenant", "contact_uid"], name="mobile_by_contact"),
                ],
            },
        ),
    ]
