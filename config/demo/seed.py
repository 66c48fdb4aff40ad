"""The two organizations of the demo: who works there, whom they know, and how to make one of them large."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.demo import clubs, giving, milestones, thanks
from config.demo.past import Chronicle
from config.demo.people import Circle, Inventor, Person, Place
from contacts.duplicates import search
from contacts.models import Contact, ContactList, Role, StaffMember, Tag, Tenant, User
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant

PASSWORD = "almoner-demo"  # noqa: S105 - invented data on one's own machine


@dataclass(frozen=True)
class Worker:
    """Somebody who logs in; without places they run the installation."""

    email: str
    first: str
    last: str
    places: tuple[tuple[str, str], ...] = ()  # (organization, role)


RIVER, HARBOR = "River Trust", "Harbor Food Bank"
WORKERS = (
    Worker("ana@rivertrust.test", "Ana", "Ruiz", ((RIVER, Role.OWNER),)),
    Worker("marcus@rivertrust.test", "Marcus", "Reid", ((RIVER, Role.MANAGER),)),
    Worker("stella@rivertrust.test", "Stella", "Novak", ((RIVER, Role.STAFF),)),
    Worker("victor@rivertrust.test", "Victor", "Lambert", ((RIVER, Role.VIEWER),)),
    Worker("hana@harborfood.test", "Hana", "Ito", ((HARBOR, Role.OWNER),)),
    Worker("bridget@bookkeeping.test", "Bridget", "Walsh", ((RIVER, Role.STAFF), (HARBOR, Role.MANAGER))),
    Worker("operator@almoner.test", "Olga", "Park"),
)


@dataclass(frozen=True)
class Organization:
    """One tenant to be."""

    name: str
    details: dict[str, Any]
    circle: Circle
    contacts: int
    owner: str
    seed: int
    not_synchronized: tuple[str, ...] = ()
    has_milestones: bool = False
    events: tuple[str, ...] = ()


ORGANIZATIONS = (
    Organization(
        RIVER,
        {
            "time_zone": "America/Los_Angeles", "street": "1 Mill Lane", "city": "Portland", "state": "OR",
            "postal_code": "97201", "fiscal_year_start": 7, "from_name": "River Trust",
            "from_email": "news@rivertrust.test",
        },
        Circle(
            lists={
                "Monthly newsletter": 0.55, "Clean-up volunteers": 0.2, "Annual gala": 0.15,
                "Teachers and schools": 0.1, "Major donors": 0.06,
            },
            committees={"Board": 9, "Finance committee": 5},
            tags=("volunteer", "kayaker", "alumni 2019", "press", "translator"),
            area_codes=("503", "360", "206"),
            system="Old database",
        ),
        contacts=400, owner="ana@rivertrust.test", seed=20_190_401, not_synchronized=("Major donors",),
        has_milestones=True,
        events=("Annual gala", "River clean-up"),
    ),
    Organization(
        HARBOR,
        {
            "time_zone": "America/New_York", "street": "40 Pier Road", "city": "Portland", "state": "ME",
            "postal_code": "04101", "from_name": "Harbor Food Bank", "from_email": "hello@harborfood.test",
        },
        Circle(
            lists={"Food drive volunteers": 0.35, "Newsletter": 0.5, "Partner shops": 0.15},
            committees={"Steering committee": 6},
            tags=("driver", "weekend", "speaks Spanish"),
            area_codes=("207",),
            system="Spreadsheet",
        ),
        contacts=150, owner="hana@harborfood.test", seed=20_210_915,
        events=("Food drive", "Winter kitchen"),
    ),
)  # fmt: skip


def seed(river_contacts: int = 0) -> bool:
    """Make both organizations unless they are there, and add to River Trust until it has so many contacts."""
    is_new = not Tenant.objects.exists()
    if is_new:
        with transaction.atomic():
            for organization in ORGANIZATIONS:
                make(organization)
    if river_contacts:
        enlarge(ORGANIZATIONS[0], river_contacts)
    return is_new


def make(organization: Organization) -> None:
    """One organization with its staff, lists, people, past, and whom the night found to be possible duplicates."""
    tenant = Tenant.objects.create(name=organization.name, **organization.details)
    with in_tenant(tenant):
        for worker in WORKERS:
            employ(worker, tenant)
        owner = User.objects.get(email=organization.owner)
        with acting(By.STAFF, "Almoner", owner):
            circle = organization.circle
            for name in circle.lists:
                ContactList.objects.create(name=name, synchronize=name not in organization.not_synchronized)
            for name in circle.committees:
                ContactList.objects.create(name=name, kind=ContactList.Kind.COMMITTEE, synchronize=True)
            Tag.objects.bulk_create([Tag(name=name) for name in circle.tags])
        people = list(inventor(organization).people(0, organization.contacts - len(SPECIAL)))
        seat(people, circle)
        chronicle = Chronicle(tenant, owner, circle.system)
        chronicle.write([*people, *special(organization)])
        search.start()  # the first night has been: the possible duplicates stand there
        while search.turn():
            pass
        giving.write(chronicle, list(Contact.objects.order_by("pk")), giver(organization, 0.6))
        if organization.has_milestones:
            milestones.make()
            clubs.make()
            thanks.make(tenant.pk)


def employ(worker: Worker, tenant: Tenant) -> None:
    """The user, once, and their place here, if they have one."""
    user = User.objects.filter(email=worker.email).first()
    if user is None:
        create: Any = User.objects.create_user if worker.places else User.objects.create_superuser
        user = create(worker.email, PASSWORD, first_name=worker.first, last_name=worker.last)
    for name, role in worker.places:
        if name == tenant.name:
            StaffMember.objects.create(user=user, role=role)


def inventor(organization: Organization, extra_seed: int = 0, detail: float = 1.0) -> Inventor:
    """Invents this organization's people."""
    return Inventor(organization.circle, organization.seed + extra_seed, timezone.now(), detail=detail)


def seat(people: list[Person], circle: Circle) -> None:
    """The first people who are persons, can be reached and want to be, sit on the committees."""
    free = [p for p in people if p.kind == "person" and p.emails and not p.do_not_contact_at]
    for name, size in circle.committees.items():
        members, free = free[:size], free[size:]
        for member, position in zip(members, ["chair", "treasurer", "secretary"] + [""] * size, strict=False):
            member.places.append(Place(name, member.created_at + timedelta(days=1), position))


# People who show something: a couple with one mailbox, no mailbox at all, an address that a vendor takes for a fake.
SPECIAL = (
    ("Grace", "Foster", "the.fosters@oakpost.test"),
    ("Walter", "Foster", "the.fosters@oakpost.test"),
    ("Maya", "Shah", "shah.household@brightmail.test"),
    ("Samir", "Shah", "shah.household@brightmail.test"),
    ("Joyce", "Quinn", "quinn.family@lettermail.test"),
    ("Frank", "Quinn", "quinn.family@lettermail.test"),
    ("Dorothy", "Abbott", ""),
    ("Terry", "Placeholder", "terry.placeholder@example.com"),
)


def special(organization: Organization) -> list[Person]:
    """They are on the list that most people are on."""
    popular = max(organization.circle.lists, key=lambda name: organization.circle.lists[name])
    since = timezone.now() - timedelta(days=700)
    return [
        Person(
            "person", first, last, "", since, emails=[(email, "ok")] if email else [],
            places=[Place(popular, since + timedelta(days=2))],
        )
        for first, last, email in SPECIAL
    ]  # fmt: skip


def enlarge(organization: Organization, contacts: int) -> int:
    """Add people until there are so many; what an interrupted run has written counts. Returns how many are new."""
    tenant = Tenant.objects.get(name=organization.name)
    with in_tenant(tenant):
        there = Contact.objects.count()
        missing = max(0, contacts - there)
        owner = User.objects.get(email=organization.owner)
        people = inventor(organization, there, detail=0.1).people(there, missing)
        chronicle = Chronicle(tenant, owner, organization.circle.system)
        added = chronicle.write(people)
        known = Contact.objects.filter(gifts=None).order_by("-pk")[:missing]
        giving.write(chronicle, list(known), giver(organization, 0.1, there))
        return added


def giver(organization: Organization, share: float, extra_seed: int = 0) -> giving.Giver:
    """Invents what this organization's people gave; `share` of them did."""
    today = timezone.localtime(timezone.now(), Tenant.objects.get(name=organization.name).tz).date()
    return giving.Giver(organization.seed + extra_seed, today, organization.events, share)
