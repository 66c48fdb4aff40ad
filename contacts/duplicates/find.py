"""Find pairs that may be one person. Who shares an address, a number or a place is asked of indexed keys, many at once;
what a pair has in common is judged by alike.py, and kept as `DuplicatePair`.

A key that more than `MOST` contacts share, such as info@ or a switchboard, says nothing about any two of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from contacts.duplicates import places
from contacts.duplicates.alike import Look, compare
from contacts.models import Contact, DuplicatePair, EmailAddress, PhoneNumber, PlaceKey
from contacts.models.recorded import chunks

MOST = 20  # contacts that share a key and are still compared with each other
BATCH = 500

Pair = tuple[int, int]  # numbers of two contacts, the lower one first


class Key(NamedTuple):
    """Something that two contacts may have in common, in an indexed column."""

    reason: str
    model: Any
    column: str

    def holders(self, values: Iterable[Any]) -> Any:
        """The rows of whoever has one of these."""
        return self.model.objects.filter(**{f"{self.column}__in": list(values)}).order_by()


KEYS = [
    Key("email", EmailAddress, "address_key"),
    Key("phone", PhoneNumber, "number"),
    Key("name", PlaceKey, "key"),
]


def looks(pks: Iterable[int]) -> dict[int, Look]:
    """What is compared of these contacts: four queries."""
    pks = list(pks)
    columns = ("pk", "kind", "first_name", "last_name", "organization_name", "household_id")
    found = {
        pk: Look(pk, kind == Contact.Kind.ORGANIZATION, first, last, organization, household, {}, {}, {})
        for pk, kind, first, last, organization, household in Contact.objects.filter(pk__in=pks)
        .order_by()
        .values_list(*columns)
    }
    emails = EmailAddress.objects.filter(contact__in=pks).order_by()
    for pk, key, address in emails.values_list("contact_id", "address_key", "address"):
        found[pk].emails[key] = address  # type: ignore[index]
    for pk, number in PhoneNumber.objects.filter(contact__in=pks).order_by().values_list("contact_id", "number"):
        found[pk].phones[str(number)] = str(number)  # type: ignore[index]
    for pk, key in PlaceKey.objects.filter(contact__in=pks).order_by().values_list("contact_id", "key"):
        found[pk].places[key] = key  # type: ignore[index]
    return found


def compare_pairs(pairs: Iterable[Pair]) -> dict[Pair, tuple[int, list[list[str]]]]:
    """{pair: (how sure, what is the same)}; whatever too many share is left out. At most seven queries."""
    pairs = list(pairs)
    seen = looks({pk for pair in pairs for pk in pair})
    shared: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one, other in pairs:
        if one in seen and other in seen:
            shared["email"].update(seen[one].emails.keys() & seen[other].emails.keys())
            shared["phone"].update(seen[one].phones.keys() & seen[other].phones.keys())
            shared["name"].update(seen[one].places.keys() & seen[other].places.keys())
    crowded = {key.reason: too_many(key, shared[key.reason]) for key in KEYS}
    found = {}
    for pair in pairs:
        if pair[0] in seen and pair[1] in seen:
            score, reasons = compare(without(seen[pair[0]], crowded), without(seen[pair[1]], crowded))
            found[pair] = (score, reasons)
    return found


def too_many(key: Key, values: Iterable[str]) -> set[str]:
    """Those of these keys that more than `MOST` contacts share."""
    values = list(values)
    if not values:
        return set()
    counted = key.holders(values).values(key.column).annotate(n=Count("contact", distinct=True)).filter(n__gt=MOST)
    return {str(value) for value in counted.values_list(key.column, flat=True)}


def without(look: Look, crowded: dict[str, set[str]]) -> Look:
    """A contact without what too many share."""
    if not any(crowded.values()):
        return look
    return Look(
        look.pk, look.is_organization, look.first, look.last, look.organization, look.household,
        {k: v for k, v in look.emails.items() if k not in crowded["email"]},
        {k: v for k, v in look.phones.items() if k not in crowded["phone"]},
        {k: v for k, v in look.places.items() if k not in crowded["name"]},
    )  # fmt: skip


def judge(pairs: Iterable[Pair]) -> int:
    """Keep what these pairs have in common: new ones are suggested, those that have nothing left are taken back.

    Somebody said that they are two: then they stay out, until something else becomes the same. Returns how many are
    new. At most a dozen queries for up to `BATCH` pairs.
    """
    pairs = sorted(set(pairs))
    results = compare_pairs(pairs)
    with transaction.atomic():
        here = {
            (row.first_id, row.second_id): row
            for row in DuplicatePair.objects.filter(first__in={a for a, _ in pairs}, second__in={b for _, b in pairs})
        }
        new, changed, stale = [], [], []
        for pair in pairs:
            score, reasons = results.get(pair, (0, []))
            row = here.get(pair)
            if row is None and score:
                new.append(DuplicatePair(first_id=pair[0], second_id=pair[1], reasons=reasons, score=score))
            elif row is not None and row.dismissed_at is None and not score:
                stale.append(row.pk)
            elif row is not None and row.dismissed_at is None and (row.reasons, row.score) != (reasons, score):
                row.reasons, row.score = reasons, score
                changed.append(row)
            elif row is not None and row.dismissed_at is not None and score and news(row.reasons, reasons):
                row.reasons, row.score, row.found_at = reasons, score, timezone.now()
                row.dismissed_at = row.dismissed_by = None
                changed.append(row)
        if stale:
            DuplicatePair.objects.filter(pk__in=stale).delete()
        DuplicatePair.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
        names = ["reasons", "score", "found_at", "dismissed_at", "dismissed_by"]
        DuplicatePair.objects.bulk_update(changed, names, batch_size=BATCH)
    return len(new)


def news(known: list[list[str]], reasons: list[list[str]]) -> bool:
    """Whether something is the same now that was not when they were said to be two."""
    before = {(kind, what.casefold()) for kind, what in known}
    return any((kind, what.casefold()) not in before for kind, what in reasons)


def pairs_sharing(key: Key, values: Iterable[Any], about: set[int] | None = None) -> set[Pair]:
    """Everybody who shares one of these keys, as pairs; `about`: only pairs with one of these contacts."""
    groups: defaultdict[Any, set[int]] = defaultdict(set)
    for value, pk in key.holders(values).values_list(key.column, "contact_id"):
        groups[str(value)].add(pk)
    found: set[Pair] = set()
    for pks in groups.values():
        if 1 < len(pks) <= MOST:
            found |= {p for p in combinations(sorted(pks), 2) if about is None or p[0] in about or p[1] in about}
    return found


def look_at(pks: Iterable[int]) -> int:
    """Look for doubles of these contacts, and whether their pairs still hold. Returns how many pairs are new."""
    pks = set(pks)
    places.refresh(pks)
    rows = DuplicatePair.objects.filter(Q(first__in=pks) | Q(second__in=pks)).order_by()
    found: set[Pair] = set(rows.values_list("first_id", "second_id"))
    for key in KEYS:
        own = key.model.objects.filter(contact__in=pks).order_by().values_list(key.column, flat=True)
        crowded = too_many(key, set(map(str, own)))
        found |= pairs_sharing(key, set(map(str, own)) - crowded, pks)
    return sum(judge(part) for part in chunks(sorted(found), BATCH))
