"""The texts that contacts are found by get the contact's own key, and are written for the contacts there are.

The databases' indexes on them are made after every migration (contacts/search_index.py).
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from contacts.folding import searchable

AT_ONCE = 500
PARTS = [("EmailAddress", "address_key"), ("PhoneNumber", "number"), ("OutsideIdentifier", "value")]


def plain(apps: Any, name: str, using: str) -> Any:
    """The rows of every tenant; models of the past have their managers without the walls."""
    return apps.get_model("contacts", name)._base_manager.using(using)


def parts_of(contacts: list[Any], apps: Any, using: str) -> Iterator[dict[int, list[str]]]:
    """{contact: values} of each kind of part."""
    for name, field in PARTS:
        found: dict[int, list[str]] = defaultdict(list)
        rows = plain(apps, name, using).filter(contact_id__in=[c.pk for c in contacts]).order_by("pk")
        for contact, value in rows.values_list("contact_id", field):
            found[contact].append(str(value))
        yield found


def write_texts(apps: Any, schema_editor: Any) -> None:
    """A few hundred contacts at a time, in the order of their keys."""
    using = schema_editor.connection.alias
    model = apps.get_model("contacts", "SearchText")
    last = 0
    while contacts := list(plain(apps, "Contact", using).filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        addresses, numbers, identifiers = parts_of(contacts, apps, using)
        texts = []
        for contact in contacts:
            names = [f"{contact.first_name} {contact.last_name}", contact.organization_name, contact.job_title]
            others = [*addresses[contact.pk], contact.custom_user_id, *identifiers[contact.pk]]
            text = searchable(names, others, numbers[contact.pk])
            texts.append(model(contact_id=contact.pk, tenant_id=contact.tenant_id, text=text))
        plain(apps, "SearchText", using).bulk_create(texts)
        last = contacts[-1].pk


class Migration(migrations.Migration):
    dependencies = [("contacts", "0002_the_staffs_day")]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["tenant", "updated_at"], name="contacts_co_tenant__e89493_idx"),
        ),
        # Empty until now, and made from other rows: made anew rather than changed.
        migrations.DeleteModel(name="SearchText"),
        migrations.CreateModel(
            name="SearchText",
            fields=[
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_text",
                        serialize=False,
                        to="contacts.contact",
                    ),
                ),
                ("text", models.TextField()),
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
            options={"abstract": False, "base_manager_name": "objects"},
        ),
        migrations.RunPython(write_texts, migrations.RunPython.noop),
    ]
