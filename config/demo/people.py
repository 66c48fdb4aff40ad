"""Invent people and organizations with a past. Pure: the same seed gives the same people."""

import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from config.demo import names

DAY = timedelta(days=1)


@dataclass
class Place:
    """Somebody's place on a list."""

    list_name: str
    joined_at: datetime
    position: str = ""
    opted_out_at: datetime | None = None


@dataclass
class Person:
    """A contact to be, with the dates at which things happened."""

    kind: str
    first: str
    last: str
    organization: str
    created_at: datetime
    title: str = ""
    emails: list[tuple[str, str]] = field(default_factory=list)  # (address, state), the primary one first
    phone: str = ""
    town: tuple[str, str, str] | None = None
    street: str = ""
    identifier: str = ""
    tags: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    do_not_contact_at: datetime | None = None
    former_title: str = ""
    title_changed_at: datetime | None = None


@dataclass(frozen=True)
class Circle:
    """What an organization's people are like."""

    lists: dict[str, float]  # name -> the share of people on it
    committees: dict[str, int]  # name -> how many people
    tags: tuple[str, ...]
    area_codes: tuple[str, ...]
    system: str  # where the old identifiers come from


class Inventor:
    """Invents the people of one organization, numbered, so that every address is another."""

    def __init__(self, circle: Circle, seed: int, now: datetime, *, detail: float = 1.0, founded_years_ago: int = 6):
        self.circle = circle
        self.detail = detail  # a smaller share has phones, post, tags and old identifiers
        self.random = random.Random(seed)
        self.now = now
        self.days = founded_years_ago * 365

    def people(self, first_number: int, count: int) -> Iterator[Person]:
        """So many contacts, the number in each address being unique."""
        for number in range(first_number, first_number + count):
            yield self.one(number)

    def one(self, number: int) -> Person:
        """One contact: every eighth is an organization."""
        dice = self.random
        created = self.now - timedelta(days=3 + dice.random() ** 1.5 * self.days, seconds=dice.randrange(86_400))
        if number % 8 == 7:
            shop = f"{dice.choice(names.PLACES)} {dice.choice(names.SHOPS)}"
            person = Person("organization", "", "", shop, created)
            local = f"office.{slug(shop)}"
        else:
            wide = number % 25 == 12
            first, last = dice.choice(names.WIDER) if wide else (dice.choice(names.FIRST), dice.choice(names.LAST))
            employer = f"{dice.choice(names.PLACES)} {dice.choice(names.SHOPS)}" if dice.random() < 0.25 else ""
            person = Person("person", first, last, employer, created)
            person.title = dice.choice(names.TITLES) if dice.random() < 0.4 else ""
            local = f"{slug(first)}.{slug(last)}".strip(".") or "friend"
        self.reach(person, f"{local}{number}@{dice.choice(names.MAIL_DOMAINS)}", number)
        self.past(person)
        return person

    def reach(self, person: Person, address: str, number: int) -> None:
        """Addresses, phone and post; not everybody has everything, and not every address works."""
        dice = self.random
        if dice.random() > 0.07:
            luck = dice.random()
            state = "bounced" if luck < 0.025 else "invalid" if luck < 0.03 else "ok"
            person.emails.append((address, state))
            if dice.random() < 0.12:
                person.emails.append((f"{address.partition('@')[0]}@work.test", "ok"))
        if dice.random() < 0.6 * self.detail:
            person.phone = f"+1{dice.choice(self.circle.area_codes)}55501{number % 100:02d}"
        if dice.random() < 0.6 * self.detail:
            person.street = f"{dice.randrange(1, 240)} {dice.choice(names.STREETS)}"
            person.town = dice.choice(names.TOWNS)
        if dice.random() < 0.5 * self.detail:
            person.identifier = f"{1000 + number:05d}"

    def past(self, person: Person) -> None:
        """Lists joined, tags earned, jobs changed, and sometimes a wish to be left alone."""
        dice = self.random
        person.tags = [tag for tag in self.circle.tags if dice.random() < 0.12 * self.detail]
        for name, share in self.circle.lists.items():
            if dice.random() < share:
                place = Place(name, self.later(person.created_at))
                if dice.random() < 0.03:
                    place.opted_out_at = self.later(place.joined_at)
                person.places.append(place)
        if dice.random() < 0.03:
            person.do_not_contact_at = self.later(person.created_at)
        if person.title and dice.random() < 0.3:
            person.former_title, person.title_changed_at = "Volunteer", self.later(person.created_at)

    def later(self, moment: datetime) -> datetime:
        """Some time between then and now."""
        return moment + (self.now - moment) * self.random.random() ** 2


def slug(text: str) -> str:
    """The letters and digits of a name, as they stand in addresses."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "", plain)
