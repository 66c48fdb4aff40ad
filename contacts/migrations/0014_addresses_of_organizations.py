"""Each organization gets a word for the addresses of APIs, made from its name."""

from typing import Any

from django.db import migrations, models

from contacts.tenancy.models import free_slug


def name_them(apps: Any, schema_editor: Any) -> None:
    """The oldest first: it has the plainest word."""
    tenants = apps.get_model("contacts", "Tenant").objects.using(schema_editor.connection.alias)
    for tenant in tenants.order_by("pk"):
        tenants.filter(pk=tenant.pk).update(slug=free_slug(tenant.name, tenants))


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0013_api_keys"),
    ]

    operations = [
        migrations.AddField("tenant", "slug", models.CharField(max_length=60, null=True, editable=False)),
        migrations.RunPython(name_them, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            "tenant",
            "slug",
            models.CharField(
                max_length=60,
                unique=True,
                editable=False,
                help_text="Its name in addresses of APIs. It never changes.",
            ),
        ),
    ]
