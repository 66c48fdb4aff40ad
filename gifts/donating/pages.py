"""Fundraising pages, made and changed by programs (O11, O14), and what they come to."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum

from contacts.tenancy.walls import current_tenant
from gifts.donating.said import OURS
from gifts.models import Donation, FundraisingPage, PageIdentifier

Given = Mapping[str, Any]
# {what a program calls it: our field}
FIELDS = {
    "title": "title", "name": "name", "summary": "summary", "description": "description",
    "origin_system": "origin_system", "browser_url": "browser_url", "featured_image_url": "featured_image_url",
    "action_network:hidden": "is_hidden", "language": "language",
}  # fmt: skip


def currency() -> str:
    """That of the organization, as it is now: gifts are kept in no other, and a page may be older than a choice."""
    tenant = current_tenant()
    return tenant.currency if tenant else ""


def create_page(given: Given, by: str) -> FundraisingPage:
    """A page made by a program, which takes donations. `given`: title (needed), name, summary, description,
    origin_system, browser_url, featured_image_url, `action_network:hidden`, identifiers; `by` names the key. An
    identifier that a page has already makes it an update of that page. One transaction."""
    names = foreign(given)
    try:
        with transaction.atomic():
            return made(given, by, names)
    except IntegrityError:  # a page with this identifier was made at this moment
        with transaction.atomic():
            return made(given, by, names)


def made(given: Given, by: str, names: list[str]) -> FundraisingPage:
    """One attempt."""
    known = FundraisingPage.objects.filter(identifiers__text__in=names).order_by("pk").first() if names else None
    if known is not None:
        return update_page(known, given)
    page = FundraisingPage(currency=currency(), made_by_api=True, creator_name=by[:250])
    write(page, given)
    page.save(force_insert=True)
    PageIdentifier.objects.bulk_create([PageIdentifier(page=page, text=one) for one in names])
    FundraisingPage.objects.filter(pk=page.pk).update(updated_at=page.created_at)
    page.refresh_from_db()
    return page


def update_page(page: FundraisingPage, given: Given) -> FundraisingPage:
    """Change what was sent; identifiers are added, but for those of other pages. One transaction."""
    try:
        return updated(page, given)
    except IntegrityError:  # another page was given one of these identifiers at this moment
        return updated(page, given)


@transaction.atomic
def updated(page: FundraisingPage, given: Given) -> FundraisingPage:
    """One attempt."""
    row: FundraisingPage = FundraisingPage.objects.select_for_update(no_key=True).get(pk=page.pk)
    write(row, given)
    row.save()
    names = foreign(given)
    taken = set(PageIdentifier.objects.filter(text__in=names).values_list("text", flat=True))
    PageIdentifier.objects.bulk_create([PageIdentifier(page=row, text=one) for one in names if one not in taken])
    row.refresh_from_db()
    return row


def write(page: FundraisingPage, given: Given) -> None:
    """What was sent; null changes nothing."""
    for theirs, ours in FIELDS.items():
        if given.get(theirs) is not None:
            longest = FundraisingPage._meta.get_field(ours).max_length  # type: ignore[union-attr]
            value = given[theirs]
            setattr(page, ours, value[:longest] if isinstance(value, str) and longest else value)


def foreign(given: Given) -> list[str]:
    """The identifiers of other systems, each once."""
    found = dict.fromkeys(str(one)[:255] for one in given.get("identifiers") or ())
    return [one for one in found if not one.lower().startswith(OURS)]


def figures_of(pages: Iterable[FundraisingPage]) -> dict[int, tuple[int, Decimal]]:
    """{page: (number of donations, their sum as it was given)}, by primary keys. One query."""
    rows = Donation.objects.filter(page__in=[page.pk for page in pages]).order_by().values_list("page_id")
    found = {pk: (number, total) for pk, number, total in rows.annotate(Count("pk"), Sum("amount"))}
    return {page.pk: found.get(page.pk, (0, Decimal("0.00"))) for page in pages}
