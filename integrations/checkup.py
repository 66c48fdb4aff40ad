"""What the last check found, in words for the pages (L31): of an integration, of one list, and of a whole check."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contacts.models import ContactList
from integrations.check_words import DIFFERENCES
from integrations.models import ListCheck, RemoteRecord, RunItem, SyncRun
from integrations.sync.instep import percent
from integrations.words import joined, number, some


@dataclass(slots=True)
class Checkup:
    """How far something was in step, and when somebody looked."""

    at: datetime | None = None
    members: int = 0
    in_step: int = 0
    moving: int = 0
    run_uid: UUID | None = None

    @property
    def percent(self) -> str:
        """“99.8 %”."""
        return percent(self.in_step, self.members)

    @property
    def out(self) -> int:
        """How many were not as they should be, besides those whose change was on its way."""
        return self.members - self.in_step - self.moving

    @property
    def is_whole(self) -> bool:
        """Whether everybody was as they should be, or about to be."""
        return self.out <= 0

    def add(self, check: Mapping[str, Any]) -> None:
        """Add one list."""
        self.members += check["members"]
        self.in_step += check["in_step"]
        self.moving += check["moving"]
        if self.at is None or check["at"] > self.at:
            self.at, self.run_uid = check["at"], check["run__uid"]


def of_connections(pks: Iterable[int]) -> dict[int, Checkup]:
    """{connection: all of its lists together}, in one query; there are hundreds of lists, not thousands."""
    found: dict[int, Checkup] = {}
    checks: Any = ListCheck.objects.filter(connection__in=list(pks)).order_by()
    for check in checks.values("connection", "members", "in_step", "moving", "at", "run__uid"):
        found.setdefault(check["connection"], Checkup()).add(check)
    return found


def of_list(uid: UUID) -> dict[int, Checkup]:
    """{connection: this list}."""
    found: dict[int, Checkup] = {}
    checks: Any = ListCheck.objects.filter(list_uid=uid).order_by()
    for check in checks.values("connection", "members", "in_step", "moving", "at", "run__uid"):
        found.setdefault(check["connection"], Checkup()).add(check)
    return found


def of_contact(uid: UUID) -> dict[int, RunItem]:
    """{connection: what the last check found of this contact and nobody has decided about yet}, in one query."""
    rows = RunItem.objects.filter(
        run__kind=SyncRun.Kind.CHECK, run__state=SyncRun.State.READY, kind=RemoteRecord.Kind.CONTACT, subject_uid=uid,
        state=RunItem.State.SHOWN,
    )  # fmt: skip
    return {row.run.connection_id: row for row in rows.select_related("run")}


def of_run(run: SyncRun) -> list[tuple[ContactList, Checkup]]:
    """List by list what one check found; after a repair, what it came to."""
    figures: dict[str, list[int]] = run.found.get("lists", {})
    now = {
        str(uid): list(numbers)
        for uid, *numbers in ListCheck.objects.filter(run=run).values_list("list_uid", "members", "in_step", "moving")
    }
    found = figures | now
    rows = []
    for one in ContactList.objects.filter(uid__in=list(found)).order_by("name"):
        members, in_step, moving = found[str(one.uid)]
        if members or one.synchronize:
            rows.append((one, Checkup(run.finished_at, members, in_step, moving)))
    return rows


def sentences(run: SyncRun) -> list[str]:
    """“1 of 20,010 people differs: 1 is missing there.” of a check that was not confirmed."""
    classes: dict[str, int] = run.found.get("classes", {})
    parts = [
        f"{number(classes[kind])} × {words.label.lower()}" for kind, words in DIFFERENCES.items() if classes.get(kind)
    ]
    figures = run.found.get("lists", {}).values()
    members, in_step = sum(f[0] for f in figures), sum(f[1] for f in figures)
    said = [f"{percent(in_step, members)} in step."] if members else ["There is nobody to compare."]
    if parts:
        count = sum(classes.get(kind, 0) for kind in DIFFERENCES)
        said.append(f"{some(count, 'row', 'rows')} found: {joined(parts)}.")
    if held := run.found.get("held", 0):
        said.append(f"{some(held, 'change is', 'changes are')} held.")
    if removed := run.found.get("removed", 0):
        said.append(f"Still missing: {some(removed, 'person', 'people')} whom somebody removed there before.")
    return said
