"""Tags by name (O8): only those that there are, added first, then taken off."""

from collections.abc import Iterable

from django.db.models.functions import Lower

from contacts.importing.values import tidy
from contacts.models import Contact, ContactTag, Tag


def tag(contact: Contact, add: Iterable[str], remove: Iterable[str], is_new: bool = False) -> None:
    """A name in both ends up taken off. Names that no tag has are passed over."""
    adding, removing = (list(dict.fromkeys(tidy(str(name)).lower() for name in names)) for names in (add, remove))
    if not (adding or removing):
        return
    rows = Tag.objects.annotate(plain=Lower("name")).filter(plain__in={*adding, *removing})
    tags = {one.plain: one for one in rows}
    had = ContactTag.objects.filter(contact=contact, tag__in=tags.values()) if tags and not is_new else ()
    here = {row.tag_id: row for row in had}
    new = [tags[name] for name in adding if name in tags and tags[name].pk not in here]
    # What is taken off in the same call was there for a moment, and stands in the history.
    here |= {
        row.tag_id: row for row in ContactTag.objects.bulk_create(ContactTag(contact=contact, tag=one) for one in new)
    }
    for name in removing:
        if name in tags and (row := here.pop(tags[name].pk, None)) is not None:
            row.delete()
