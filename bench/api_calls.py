"""Donors for the figures of the APIs, straight into the tables, and the calls that are made of them."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench import world
from contacts import table_statistics
from contacts.models import Contact, EmailAddress, PhoneNumber, PostalAddress
from contacts.tenancy import keys
from contacts.tenancy.walls import in_tenant
from gifts.donating.pages import create_page
from gifts.models import Donor, DonorClub, FundraisingPage, Gift, Giving, Source

ON, AMOUNT = date(2025, 5, 5), Decimal(25)
DONATIONS, READS, SEARCHES, PATCHES, BATCHES, AT_ONCE = 23, 63, 23, 43, 8, 100
Call = dict[str, Any]


def seed(donors: int, calls: str) -> dict[str, int]:
    """So many donors with a gift each, and a file with the calls."""
    world.people(donors)
    tenant, _ = world.ours()
    with in_tenant(tenant):
        club = DonorClub.objects.create(name="Friends", minimum=10)
        DonorClub.objects.create(name="Gold", minimum=10_000)
        pks = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
        for part in parts_of(pks, 5_000):
            give(part, club)
        lone = [Contact(first_name="Lone", last_name=f"Phone{n}") for n in range(DONATIONS)]
        world.insert(Contact, lone)
        world.insert(PhoneNumber, [PhoneNumber(contact=c, number=number(n)) for n, c in enumerate(lone)])
        page = create_page({"title": "Clean water", "origin_system": "Bench"}, "bench")
        _, secret = keys.issue("Bench", {"osdi", "donors:read", "donors:write"}, None)
        made = list(every_call(tenant.slug, page, secret, donors))
    table_statistics.take()
    Path(calls).write_text(json.dumps(made))
    return {"calls": len(made)}


def parts_of(rows: list[int], size: int) -> Iterator[list[int]]:
    """One part after the other."""
    yield from (rows[start : start + size] for start in range(0, len(rows), size))


def give(pks: list[int], club: DonorClub) -> None:
    """A gift, totals, a donor and an address for each."""
    world.insert(PostalAddress, [
        PostalAddress(contact_id=pk, city=("Portland", "Salem", "Bend")[pk % 3], state=("OR", "WA")[pk % 2],
                      country="US", is_primary=True) for pk in pks
    ])  # fmt: skip
    world.insert(Gift, [
        Gift(contact_id=pk, received_on=ON, amount=AMOUNT, source=Source.CSV, source_id=f"G{pk}") for pk in pks
    ])  # fmt: skip
    world.insert(Giving, [
        Giving(contact_id=pk, total=AMOUNT, number=1, first_on=ON, last_on=ON, last_amount=AMOUNT, largest=AMOUNT,
               largest_on=ON) for pk in pks
    ])  # fmt: skip
    world.insert(Donor, [Donor(contact_id=pk, club=club, external_id=f"D{pk}") for pk in pks])


def number(n: int) -> str:
    """A phone number that nobody else has."""
    return f"+1202555{n:04d}"


def every_call(slug: str, page: FundraisingPage, secret: str, donors: int) -> Iterator[Call]:
    """Kind after kind; no two calls of a kind are about the same donor."""
    emails = list(
        EmailAddress.objects.order_by("pk").values_list("address", "contact__donor__uid")[:: max(1, donors // 1_000)]
    )
    base, headers = f"/donors/{slug}", {"Authorization": secret, "Content-Type": "application/json"}
    given = iter(emails)

    def call(kind: str, method: str, path: str, body: Any = None) -> Call:
        return {"kind": kind, "method": method, "path": path, "body": body, "headers": headers}

    def donation(kind: str, email: str, phone: str = "") -> Call:
        person = {"email_addresses": [{"address": email}]} | ({"phone_numbers": [{"number": phone}]} if phone else {})
        body = {"recipients": [{"display_name": "Clean water", "amount": "10.00"}], "person": person}
        return call(kind, "POST", f"/api/v2/fundraising_pages/{page.uid}/donations", body)

    for n in range(READS):
        yield call("donor read", "GET", f"{base}/{emails[n % len(emails)][1]}")
    for n in range(SEARCHES):
        yield call("donors search, one by address", "POST", f"{base}/search", {"email_address": emails[n][0]})
    for _ in range(SEARCHES):
        yield call("donors search, 100 of everybody", "POST", f"{base}/search", {})
    for n in range(SEARCHES):
        yield call("donors search, nobody of a name", "POST", f"{base}/search", {"last_name": f"Nobody{n}"})
    for n in range(SEARCHES):
        yield call("donors search, nobody of a city", "POST", f"{base}/search", {"city": f"Nowhere{n}"})
    for n in range(SEARCHES):
        yield call("donors search, nobody of a job", "POST", f"{base}/search", {"job_title": f"Nothing{n}"})
    for n in range(PATCHES):
        patch = [{"op": "replace", "path": "/notes", "value": f"Called {n}"}]
        yield call("donor patch", "PATCH", f"{base}/{emails[n % len(emails)][1]}", patch)
    for n in range(BATCHES):
        patch = [{"op": "replace", "path": "/notes", "value": f"Written to {n}"}]
        at_once = [{"operation": "patch", "id": str(uid), "patch": patch} for _, uid in emails[:AT_ONCE]]
        yield call("batch of 100 patches", "POST", f"{base}/batch", {"operations": at_once})
    for _ in range(DONATIONS):
        yield donation("donation, somebody found", next(given)[0])
    for n in range(DONATIONS):
        yield donation("donation, somebody new", f"new.{n}@crowdmail.test")
    for n in range(DONATIONS):
        yield donation("donation, two are merged", next(given)[0], number(n))
