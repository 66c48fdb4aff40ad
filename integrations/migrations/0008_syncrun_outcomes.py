from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0007_patience_and_a_brake_that_remembers"),
    ]

    operations = [
        migrations.AddField(
            model_name="syncrun",
            name="outcomes",
            field=models.JSONField(blank=True, help_text="{state: {verb: how many}}, once it is over.", null=True),
        ),
    ]
