"""A run is a Sync, a Check or an Undo."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0009_a_reading_goes_on_where_it_was"),
    ]

    operations = [
        migrations.AddField(
            model_name="syncrun",
            name="kind",
            field=models.CharField(
                choices=[("sync", "Sync"), ("check", "Check"), ("undo", "Undo")], default="sync", max_length=5
            ),
        ),
    ]
