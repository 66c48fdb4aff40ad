"""Exports of everybody: how fast beside a bare CSV of the one table, how soon the first byte, how much memory."""

import csv
import time
from collections.abc import Callable, Iterable
from typing import Any

from bench.parts import Parts
from bench.scenarios import NO_MORE, Figure, Figures, Wishes

SIZES = (10_000, 100_000)
FORMS = ("csv", "xlsx")


def export(wishes: Wishes) -> Figures:
    """The file that the page makes with the usual columns, read to its end and thrown away."""
    figures: Figures = []
    memory: dict[str, float] = {}
    for contacts in SIZES:
        with Parts(wishes.profile) as parts:
            parts.step("seed", contacts=contacts)
            parts.step("add_details")
            bare = parts.step("bare_csv")
            for form in FORMS:
                found = parts.step("export", form=form)
                if found["rows"] != contacts:
                    raise RuntimeError(f"The export has {found['rows']:,} rows instead of {contacts:,}.")
                name = f"Export of {contacts:,} contacts, {'Excel' if form == 'xlsx' else 'CSV'}"
                figures += [
                    Figure(name, "rows a second", round(contacts / found["seconds"])),
                    Figure(name, "rows a second of processor time", round(contacts / found["cpu"])),
                    Figure(name, "the same, bare CSV of the one table", round(contacts / bare["cpu"])),
                    Figure(name, "processor time, to the bare CSV", found["cpu"] / bare["cpu"], "×"),
                    Figure.at_most(name, "queries for each 500 rows", found["queries_a_page"], 12),
                    Figure(name, "size of the file", found["megabytes"], "MB"),
                    Figure(name, "first byte after", found["first_byte"], "s"),
                    Figure(name, "peak memory", found["memory_mb"], "MB"),
                ]
                if form in memory:
                    ratio = found["memory_mb"] / memory[form]
                    aim = Figure.at_most(name, f"peak memory, to {SIZES[0]:,} contacts", ratio, NO_MORE, "×")
                    figures.append(aim)
                memory[form] = found["memory_mb"]
    return figures


# --- in the process of a step ---


def add_details() -> None:
    """A phone, a tag, a postal address and two values of custom fields for everybody."""
    from bench import world
    from contacts.models import Contact, ContactTag, CustomField, CustomValue, PhoneNumber, PostalAddress, Tag
    from contacts.models.recorded import chunks
    from contacts.tenancy.walls import in_tenant

    tenant, _ = world.ours()
    with in_tenant(tenant):
        tag = Tag.objects.create(name="volunteer")
        size = CustomField.objects.create(name="T-shirt size", kind="choice", choices=["S", "M"])
        age = CustomField.objects.create(name="Age", kind="number")
        for part in chunks(Contact.objects.order_by("pk").iterator(5000), 5000):
            world.insert(ContactTag, [ContactTag(contact=c, tag=tag) for c in part])
            world.insert(PhoneNumber, [PhoneNumber(contact=c, number="+14155550132", is_primary=True) for c in part])
            home = {"street": "1 Mill Lane", "city": "Salem", "state": "OR", "postal_code": "02139"}
            world.insert(PostalAddress, [PostalAddress(contact=c, **home) for c in part])
            world.insert(CustomValue, [CustomValue(contact=c, field=size, value="M") for c in part])
            world.insert(CustomValue, [CustomValue(contact=c, field=age, value="41", number=41) for c in part])


def bare_csv() -> dict[str, Any]:
    """The least that it can take: the rows of one table, as text, without a thought for who reads them."""
    from bench import world
    from contacts.exporting.people import FIELDS
    from contacts.models import Contact
    from contacts.tenancy.walls import in_tenant

    tenant, _ = world.ours()
    with in_tenant(tenant):
        started = time.process_time()
        written = csv.writer(Nowhere())
        written.writerows(Contact.objects.order_by("pk").values_list(*FIELDS).iterator(500))
        return {"cpu": time.process_time() - started}


class Nowhere:
    """A file that keeps nothing."""

    def write(self, text: str) -> int:
        """Forget it."""
        return len(text)


def export_all(form: str, memory: Callable[[str], float]) -> dict[str, Any]:
    """Press Download, as the owner."""
    from django.conf import settings
    from django.db import connection, reset_queries
    from django.test import Client

    from bench import world
    from contacts.exporting.columns import for_contacts
    from contacts.exporting.pages import PAGE
    from contacts.models import Export
    from contacts.tenancy.walls import in_tenant

    tenant, _ = world.ours()
    with in_tenant(tenant):
        columns = [column.heading for column in for_contacts() if column.is_usual and not column.is_always]
    browser = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    browser.force_login(world.owner(), "django.contrib.auth.backends.ModelBackend")
    started, computed = time.perf_counter(), time.process_time()
    answer: Any = browser.post("/admin/contacts/export/new/", {"form": form, "column": columns})
    size, first = 0, 0.0
    connection.force_debug_cursor = True
    reset_queries()
    counted: list[int] = []
    for piece in pieces(answer):
        first = first or time.perf_counter() - started
        size += len(piece)
        counted.append(len(connection.queries))
        reset_queries()
    seconds, cpu = time.perf_counter() - started, time.process_time() - computed
    with in_tenant(tenant):
        rows = Export.objects.get(form=form).rows
    pages = max(1, (rows or 0) // PAGE)
    return {
        "seconds": seconds, "cpu": cpu, "rows": rows, "megabytes": size / 1e6, "first_byte": first,
        "memory_mb": memory("VmHWM"), "queries_a_page": sum(counted) // pages,
    }  # fmt: skip


def pieces(answer: Any) -> Iterable[bytes]:
    """The file; a page of the site instead is a mistake of ours."""
    if not answer.streaming:
        raise RuntimeError(f"No file, but a page ({answer.status_code}).")
    return answer.streaming_content
