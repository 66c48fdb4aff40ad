"""Who has to stay because of what they gave or promised: asked by whoever deletes contacts."""

from collections.abc import Collection

from django.db.models import Count

from gifts.models import Gift, Pledge


def hold(pks: Collection[int]) -> dict[int, str]:
    """{contact: “3 gifts and 1 pledge”} of those that have any; two queries. A refunded gift is one, too."""
    found: dict[int, list[str]] = {}
    for model, one, many in ((Gift, "gift", "gifts"), (Pledge, "pledge", "pledges")):
        rows = model.objects.filter(contact__in=list(pks)).order_by().values_list("contact_id")
        for pk, count in rows.annotate(Count("pk")):
            found.setdefault(pk, []).append(f"{count:,} {one if count == 1 else many}")
    return {pk: " and ".join(words) for pk, words in found.items()}
