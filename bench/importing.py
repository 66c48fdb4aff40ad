"""Imports: the whole of check and import beside a bare bulk insert of the same rows, and how memory grows."""

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.parts import Parts
from bench.scenarios import NO_MORE, Figure, Figures, Wishes

SIZES = (10_000, 100_000)
HEADINGS = ["First", "Surname", "E-mail", "Mobile", "Street", "Town", "State", "Zip", "Country", "Tags", "Member No"]
PARTS = ("check", "apply")


def import_file(wishes: Wishes) -> Figures:
    """A CSV file of new people, each with address, phone, postal address, tag and a place on a synchronized list."""
    figures: Figures = []
    first: dict[str, float] = {}
    for count in SIZES:
        name = f"Import of {count:,} rows"
        with Parts(wishes.profile) as parts:
            path = str(parts.folder / "people.csv")
            parts.step("write_people", path=path, count=count)
            found = parts.step("import_people", path=path)
            if found["added"] != count:
                raise RuntimeError(f"The import added {found['added']:,} people instead of {count:,}.")
        with Parts() as parts:  # the same rows into empty tables
            path = str(parts.folder / "people.csv")
            parts.step("write_people", path=path, count=count)
            bare = parts.step("insert_people", path=path)
        total = sum(found[part]["seconds"] for part in PARTS)
        figures += [
            Figure(name, "check and import", total, "s"),
            *(Figure(name, f"of that {part}", found[part]["seconds"], "s") for part in PARTS),
            Figure(name, "of all computed by the worker", sum(found[part]["cpu"] for part in PARTS), "s"),
            Figure(name, "rows a second", round(count / total)),
            Figure(name, "bare bulk insert of the same rows", bare["seconds"], "s"),
            Figure(name, "ratio to the bare insert", total / bare["seconds"], "×"),
            Figure(name, "of that import alone", found["apply"]["seconds"] / bare["seconds"], "×"),
            Figure(name, "queries of a batch of 500, check", found["check"]["queries"]),
            Figure(name, "queries of a batch of 500, import", found["apply"]["queries"]),
            Figure(name, "peak memory", found["memory_mb"], "MB"),
        ]
        now = {"time for a row": total / count, "peak memory": found["memory_mb"]}
        for what, value in now.items():
            if what in first:
                figures.append(Figure.at_most(name, f"{what}, to {SIZES[0]:,}", value / first[what], NO_MORE, "×"))
            first.setdefault(what, value)
    return figures


# --- in the process of a step ---


def write_people(path: str, count: int) -> None:
    """The file."""
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for n in range(count):
            phone = f"({201 + n % 700}) 555-{n // 700:04d}"
            town = ["Salem", "OR", "97301", "USA"]
            person = [f"Amara{n % 997}", f"Okafor{n}", f"amara.okafor{n}@crowdmail.test", phone, f"{n} Mill Lane"]
            writer.writerow([*person, *town, "volunteer", f"M{n}"])


def import_people(path: str, memory: Callable[[str], float]) -> dict[str, Any]:
    """Upload, match the columns, check, confirm, import: turn after turn, as the queue would give them."""
    from django.core.files import File

    from bench import world
    from contacts.importing import steps, turns
    from contacts.models import ContactList, Import
    from contacts.tenancy.walls import in_tenant

    tenant, _ = world.ours()
    with in_tenant(tenant), Path(path).open("rb") as file:
        newsletter = ContactList.objects.create(name="Newsletter", synchronize=True)
        data_import = steps.start(File(file, "people.csv"), world.owner())  # type: ignore[arg-type]
        chosen = [one["field"] for one in data_import.columns]
        steps.match(data_import, chosen, {"list": str(newsletter.uid)})
    found = {"check": work(turns, data_import.pk)}
    with in_tenant(tenant):
        steps.confirm(data_import, world.owner())
    found["apply"] = work(turns, data_import.pk)
    with in_tenant(tenant):
        done = Import.objects.get(pk=data_import.pk)
        return found | {"added": done.counts.get("create", 0), "memory_mb": memory("VmHWM")}


def work(turns: Any, pk: int) -> dict[str, float]:
    """How long it took, and the queries of one batch in the middle: of the second, when everything is warm."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    started, computed = time.perf_counter(), time.process_time()
    turns.turn(pk, seconds=0)
    with CaptureQueriesContext(connection) as queries:
        more = turns.turn(pk, seconds=0)
    while more:
        more = turns.turn(pk)
    return {
        "seconds": time.perf_counter() - started, "cpu": time.process_time() - computed, "queries": len(queries),
    }  # fmt: skip


def insert_people(path: str) -> dict[str, float]:
    """The least that it can take: the same rows into the same tables, 500 at a time, looking at nothing."""
    from django.db import transaction

    from bench import world
    from contacts.models import (
        Contact,
        ContactList,
        ContactTag,
        EmailAddress,
        ListMembership,
        PhoneNumber,
        PostalAddress,
        Tag,
    )
    from contacts.models.recorded import chunks
    from contacts.tenancy.walls import in_tenant

    tenant, _ = world.ours()
    started = time.perf_counter()
    with in_tenant(tenant), Path(path).open(newline="") as file:
        newsletter, tag = ContactList.objects.create(name="Newsletter"), Tag.objects.create(name="volunteer")
        rows = csv.reader(file)
        next(rows)
        for part in chunks(rows):
            with transaction.atomic():
                people = [Contact(first_name=row[0], last_name=row[1], custom_user_id=row[10]) for row in part]
                world.insert(Contact, people)
                pairs = list(zip(people, part, strict=True))
                world.insert(EmailAddress, [
                    EmailAddress(contact=c, address=row[2], address_key=row[2], is_primary=True) for c, row in pairs
                ])  # fmt: skip
                phones = [(c, "+1" + "".join(filter(str.isdigit, row[3]))) for c, row in pairs]
                world.insert(PhoneNumber, [PhoneNumber(contact=c, number=number) for c, number in phones])
                world.insert(PostalAddress, [
                    PostalAddress(contact=c, street=row[4], city=row[5], state=row[6], postal_code=row[7], country="US")
                    for c, row in pairs
                ])  # fmt: skip
                world.insert(ContactTag, [ContactTag(contact=c, tag=tag) for c in people])
                world.insert(ListMembership, [ListMembership(contact=c, contact_list=newsletter) for c in people])
    return {"seconds": time.perf_counter() - started}
