"""Rows of donors follow their totals: made for whoever gives or promises, their club set, their version raised (A13).

Called by `gifts/totals.py` in the transaction of each recount, for at most a thousand donors whose totals are locked.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Sum, Value, When
from django.utils import timezone

from contacts.models import Contact, HistoryEntry
from contacts.tenancy.acting import actor
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import TenantQuerySet, current_tenant
from gifts import clubs
from gifts.fiscal import fiscal_year
from gifts.models.club import DonorClub, DonorClubSpell
from gifts.models.donor import Donor

Totals = Mapping[int, Mapping[str, Any]]
CLUB = "place in a donor club"  # in histories
CENT = Decimal("0.01")
SHOWN = ("total", "number", "last_on", "largest", "pledged")  # of the totals, what the donors API shows


@dataclass(frozen=True, slots=True)
class Followed:
    """How many donors there are among some contacts, and how many of them changed or are new."""

    donors: int
    changed: int


def bring_up_to_date(before: Totals, now: Totals) -> Followed:
    """Make donors, place them in clubs, raise their versions. `before` and `now` are {contact: totals}."""
    rows = {row.contact_id: row for row in Donor.objects.filter(contact__in=list(now)).order_by("contact_id")}
    made = make(sorted(now.keys() - rows.keys()), now)
    rows |= made
    placed = place(rows, now)
    changed = {
        row.pk for pk, row in rows.items()
        if pk not in made and (pk in placed or any(before[pk].get(name) != now[pk][name] for name in SHOWN))
    }  # fmt: skip
    raise_version(changed)
    return Followed(len(rows), len(changed) + len(made))


def make(contact_pks: list[int], now: Totals) -> dict[int, Donor]:
    """Donors for those of these contacts who have gifts or pledges of any kind."""
    giving = givers(contact_pks) if contact_pks else set()
    if not giving:
        return {}
    by = actor().label[:100]
    rows = [Donor(contact_id=pk, created_by=by, updated_by=by) for pk in sorted(giving)]
    # Plainly: that somebody is a donor is said in their history by the gift itself.
    TenantQuerySet(Donor).bulk_create(rows)
    return {row.contact_id: row for row in rows}


def givers(contact_pks: Collection[int]) -> set[int]:
    """Those of them who have a gift or a pledge, whatever became of it."""
    from gifts.models.gift import Gift
    from gifts.models.pledge import Pledge

    found: set[int] = set()
    for model in (Gift, Pledge):
        rows = model.objects.filter(contact__in=contact_pks).order_by().values_list("contact_id", flat=True)
        found |= set(rows.distinct())
    return found


def place(rows: Mapping[int, Donor], now: Totals) -> set[int]:
    """Set the club of those who are not placed by hand. Returns the contacts whose club changed."""
    every = list(DonorClub.objects.filter(is_automatic=True))
    in_year = given_this_year(rows) if any(club.basis == clubs.FISCAL_YEAR for club in every) else {}
    moving: dict[int | None, list[Donor]] = defaultdict(list)
    for pk, row in rows.items():
        given = {
            clubs.LIFETIME: now[pk]["total"], clubs.LARGEST: now[pk]["largest"],
            clubs.FISCAL_YEAR: in_year.get(pk, Decimal(0)),
        }  # fmt: skip
        club = clubs.club_for(every, given)
        if not row.club_is_by_hand and row.club_id != (club.pk if club else None):
            moving[club.pk if club else None].append(row)
    moved = [row for part in moving.values() for row in part]
    if moved:
        cases = [When(pk__in=[row.pk for row in part], then=Value(club)) for club, part in moving.items() if club]
        Donor.objects.filter(pk__in=[row.pk for row in moved]).order_by().plainly(
            club=Case(*cases, default=None) if cases else None
        )
        for club, part in moving.items():
            for row in part:
                row.club_id = club
        note_spells(moved)
    return {row.contact_id for row in moved}


def next_donors(after: int, most: int) -> list[int]:
    """The next contacts, by number, who are donors."""
    rows = Donor.objects.filter(contact__gt=after).order_by("contact_id").values_list("contact_id", flat=True)
    return list(rows[:most])


@transaction.atomic
def place_anew(contact_pks: Collection[int]) -> int:
    """The clubs of these donors as the totals that stand say, after clubs have changed; at most a thousand, in as many
    queries as for one. Returns how many moved. Clubs are read when the totals are locked: whoever notes a gift at the
    same moment is waited for, or reads the clubs as they are now."""
    from gifts import totals

    here = totals.locked(contact_pks)
    now = totals.totals_of(here)
    rows = {row.contact_id: row for row in Donor.objects.filter(contact__in=list(now)).order_by("contact_id")}
    moved = place(rows, now)
    raise_version({rows[pk].pk for pk in moved})
    return len(moved)


def given_this_year(contact_pks: Collection[int]) -> dict[int, Decimal]:
    """{contact: what they gave in the fiscal year of today}."""
    from gifts.models.gift import NET, Gift

    tenant = current_tenant()
    assert tenant is not None  # noqa: S101 - outside of an organization every query raises anyway
    year = fiscal_year(today_of(tenant), tenant.fiscal_year_start)
    gifts = Gift.objects.in_totals().filter(contact__in=contact_pks, received_on__range=(year.first, year.last))
    found = gifts.order_by().values("contact").annotate(sum=Sum(NET)).values_list("contact", "sum")
    return {pk: amount.quantize(CENT) for pk, amount in found}  # SQLite adds up in binary


def note_spells(rows: Collection[Donor]) -> None:
    """Close the open spell of each of these donors, and open one in the club that each is in now (A13). Both stand in
    the histories of their contacts."""
    tenant = current_tenant()
    assert tenant is not None  # noqa: S101 - outside of an organization every query raises anyway
    today = today_of(tenant)
    opened = DonorClubSpell.objects.filter(donor_uid__in=[row.uid for row in rows], end_on=None).order_by()
    left = dict(opened.values_list("donor_uid", "club__name"))
    if left:
        opened.update(end_on=today)
    DonorClubSpell.objects.bulk_create(
        [DonorClubSpell(donor_uid=row.uid, club_id=row.club_id, start_on=today) for row in rows if row.club_id]
    )
    names = dict(DonorClub.objects.order_by().values_list("pk", "name"))
    uids = dict(Contact.objects.filter(pk__in=[row.contact_id for row in rows]).order_by().values_list("pk", "uid"))
    entries = []
    for row in rows:
        told = {HistoryEntry.Verb.DELETED: left.get(row.uid), HistoryEntry.Verb.ADDED: names.get(row.club_id)}
        entries += [
            HistoryEntry.by_actor(verb=verb, what=CLUB, label=name, contact_uid=uids.get(row.contact_id), changes={})
            for verb, name in told.items() if name
        ]  # fmt: skip
    HistoryEntry.objects.bulk_create(entries, batch_size=500)


def take_over_spells(new: Donor, old: Donor) -> None:
    """The times in clubs of a donor that another one becomes by a merge, as if it had never left its club."""
    DonorClubSpell.objects.filter(donor_uid=new.uid).delete()
    if old.club_is_by_hand or not new.club_id:
        return
    tenant = current_tenant()
    assert tenant is not None  # noqa: S101 - outside of an organization every query raises anyway
    today = today_of(tenant)
    last = DonorClubSpell.objects.filter(donor_uid=old.uid).order_by("pk").last()
    if last is not None and (last.club_id, last.end_on) == (new.club_id, today):
        last.end_on = None
        last.save()
    else:
        DonorClubSpell.objects.create(donor_uid=old.uid, club_id=new.club_id, start_on=today)


def raise_version(pks: Collection[int]) -> None:
    """One more for each of these donors, in the name of whoever is acting."""
    if pks:
        Donor.objects.filter(pk__in=pks).order_by().plainly(
            version=F("version") + 1, updated_at=timezone.now(), updated_by=actor().label[:100]
        )


def spells_of(donors: Collection[Donor]) -> dict[Any, list[DonorClubSpell]]:
    """{donor's uid: their times in clubs, the oldest first}; one query."""
    found: dict[Any, list[DonorClubSpell]] = defaultdict(list)
    for spell in DonorClubSpell.objects.filter(donor_uid__in=[row.uid for row in donors]).select_related("club"):
        found[spell.donor_uid].append(spell)
    return found


def today_of(tenant: Tenant) -> date:
    """The organization's day."""
    return timezone.localtime(timezone.now(), tenant.tz).date()
