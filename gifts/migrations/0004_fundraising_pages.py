"""Fundraising pages, the donations that they report, and calls that are worked on afterwards."""

import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
import uuid
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0015_text_messages_and_networks"),
        ("gifts", "0003_donors_and_clubs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FundraisingPage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("title", models.CharField(max_length=255)),
                ("name", models.CharField(blank=True, max_length=255)),
                ("summary", models.TextField(blank=True)),
                ("description", models.TextField(blank=True)),
                ("origin_system", models.CharField(blank=True, max_length=255)),
                ("browser_url", models.CharField(blank=True, max_length=500, verbose_name="address")),
                (
                    "featured_image_url",
                    models.CharField(blank=True, max_length=500, verbose_name="address of its picture"),
                ),
                (
                    "language",
                    models.CharField(blank=True, help_text="Whoever is new by it is said to speak it.", max_length=35),
                ),
                ("is_hidden", models.BooleanField(default=False, verbose_name="hidden")),
                ("currency", models.CharField(max_length=3)),
                ("made_by_api", models.BooleanField(default=False, editable=False)),
                (
                    "takes_blind",
                    models.BooleanField(
                        default=True,
                        help_text="Forms on websites report donations without a key. Nobody checks who fills them in.",
                        verbose_name="takes donations from forms without a key",
                    ),
                ),
                ("creator_name", models.CharField(blank=True, editable=False, max_length=250, verbose_name="made by")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "fundraising page",
                "ordering": ["-created_at", "-pk"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Donation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("amount", models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=12)),
                ("currency", models.CharField(max_length=3)),
                ("recipients", models.JSONField(default=list, help_text="[{display_name, amount as a text}]")),
                ("is_recurring", models.BooleanField(default=False, verbose_name="given again and again")),
                (
                    "period",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("Weekly", "every week"),
                            ("Monthly", "every month"),
                            ("Quarterly", "every quarter"),
                            ("Yearly", "every year"),
                        ],
                        max_length=10,
                        verbose_name="how often",
                    ),
                ),
                ("source_code", models.CharField(blank=True, max_length=255, verbose_name="source")),
                ("website", models.CharField(blank=True, max_length=500)),
                ("email_referrer", models.CharField(blank=True, max_length=255, verbose_name="email that led there")),
                (
                    "mobile_message_referrer",
                    models.CharField(blank=True, max_length=255, verbose_name="text message that led there"),
                ),
                ("is_blind", models.BooleanField(default=False, verbose_name="by a form without a key")),
                (
                    "given_at",
                    models.DateTimeField(help_text="To the second; the program may say when.", verbose_name="given"),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "gift",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="donation", to="gifts.gift"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.tenant",
                    ),
                ),
                (
                    "page",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="donations",
                        to="gifts.fundraisingpage",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-pk"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="BackgroundCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("record_donation", "Record a donation"),
                            ("update_donation", "Change a donation"),
                            ("sign_up", "Find or add a person"),
                            ("update_person", "Change a person"),
                            ("add_tag", "Tag a person"),
                            ("remove_tag", "Take a tag off a person"),
                        ],
                        max_length=16,
                        verbose_name="what",
                    ),
                ),
                (
                    "target",
                    models.UUIDField(help_text="The donation, person or tagging that it is about, if one.", null=True),
                ),
                ("given", models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ("is_blind", models.BooleanField(default=False, verbose_name="without a key")),
                (
                    "words",
                    models.CharField(
                        help_text="Whose key it was, for the histories.", max_length=100, verbose_name="by"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("failed", "Failed")], default="waiting", max_length=7
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="why it failed")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="tried")),
                ("received_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="came in")),
                ("tried_at", models.DateTimeField(null=True, verbose_name="last tried")),
                (
                    "joins",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contacts.contactlist",
                    ),
                ),
                (
                    "retried_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.tenant",
                    ),
                ),
                (
                    "page",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="gifts.fundraisingpage",
                    ),
                ),
            ],
            options={
                "verbose_name": "failed report",
                "verbose_name_plural": "failed reports",
                "ordering": ["pk"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="PageIdentifier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=255)),
                (
                    "page",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identifiers",
                        to="gifts.fundraisingpage",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="DonationIdentifier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=255)),
                (
                    "donation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="identifiers", to="gifts.donation"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("tenant", "text"), name="donation_identifier_once")],
            },
        ),
        migrations.AddIndex(
            model_name="fundraisingpage",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="page_by_age"),
        ),
        migrations.AddIndex(
            model_name="fundraisingpage",
            index=models.Index(fields=["tenant", "updated_at"], name="page_by_change"),
        ),
        migrations.AddIndex(
            model_name="donation",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="donation_by_age"),
        ),
        migrations.AddIndex(
            model_name="donation",
            index=models.Index(fields=["tenant", "page", "-created_at", "-id"], name="donation_by_page"),
        ),
        migrations.AddIndex(
            model_name="donation",
            index=models.Index(fields=["page", "amount"], name="donation_sums"),
        ),
        migrations.AddIndex(
            model_name="donation",
            index=models.Index(fields=["tenant", "updated_at"], name="donation_by_change"),
        ),
        migrations.AddIndex(
            model_name="backgroundcall",
            index=models.Index(fields=["tenant", "state", "id"], name="background_by_state"),
        ),
        migrations.AddConstraint(
            model_name="pageidentifier",
            constraint=models.UniqueConstraint(fields=("tenant", "text"), name="page_identifier_once"),
        ),
    ]
