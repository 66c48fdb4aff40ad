"""L8: people who share an address are one person at the vendor; a household is greeted together, whatever changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts import households, services
from contacts.models import Contact, EmailAddress, Household, ListMembership
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant as inside
from integrations.provider_kit.base import Policy
from integrations.sync import consent, people
from integrations.sync.people import Crowd, Home, Person, wanted_of
from tests.integrations.engine import World

NOW = timezone.now()
HOME, OTHER_HOME = Home(7, "The Okoro household"), Home(8, "The Reyes household")
WRITTEN = Home(7, "The Okoro household", "Ada, Ben and Cy")
FAMILY = Home(7, "The Okoro household", "The Okoro family")
MAIL = "home@river.test"


def who(first: str, last: str = "Okoro", home: Home | None = HOME, **more: Any) -> Person:
    """Somebody with the shared address, on the newsletter, unless more is said."""
    values: dict[str, Any] = {
        "fields": {"first_name": first, "last_name": last}, "address": MAIL, "address_key": MAIL.lower(),
        "email_state": "ok", "memberships": [("news", False)], "home": home, "exists": True,
    } | more  # fmt: skip
    return Person(values.pop("uid", first or last), **values)


def off(first: str, **more: Any) -> Person:
    """Somebody who shares the address, but is on no list."""
    return who(first, **({"memberships": []} | more))


ADA, BEN, CY = who("Ada"), who("Ben"), who("Cy")
# The case, who has the address (in the order in which they were added; the last one was changed last), and the
# greeting and last name which the vendor is to have.
TABLE: list[tuple[str, list[Person], tuple[str, str]]] = [
    ("a couple", [ADA, BEN], ("Ada and Ben", "Okoro")),
    ("parents and a child", [ADA, BEN, CY], ("Ada, Ben and Cy", "Okoro")),
    ("one alone in a household", [ADA], ("Ada", "Okoro")),
    ("two who share an address and no household", [who("Ada", home=None), who("Ben", home=None)], ("Ben", "Okoro")),
    ("a household and a lodger with their address", [ADA, BEN, who("Dee", "Reyes", None)], ("Dee", "Reyes")),
    ("two households with one address", [ADA, BEN, who("Dee", "Reyes", OTHER_HOME)], ("Dee", "Reyes")),
    ("a couple with two last names", [ADA, who("Ben", "Reyes")], ("Ada and Ben", "")),
    ("one last name in two spellings", [ADA, who("Ben", "OKORO")], ("Ada and Ben", "Okoro")),
    ("somebody without a last name", [ADA, who("Ben", "")], ("Ada and Ben", "")),
    ("somebody without a first name", [ADA, who("")], ("Ada", "Okoro")),
    ("nobody has a first name", [who(""), who("", uid="other")], ("The Okoro household", "")),
    ("a shop and its owner", [who("Okoro Bakery", ""), ADA], ("Okoro Bakery and Ada", "")),
    ("father and son of one name", [who("John"), who("John", uid="son")], ("John", "Okoro")),
    ("more than a greeting can name", [who(f"P{n}") for n in range(6)], ("The Okoro household", "")),
    ("divorce: one has left the household", [ADA, who("Ben", home=None)], ("Ben", "Okoro")),
    ("death: only one is left", [ADA, who("Ben", exists=False)], ("Ada", "Okoro")),
    ("one is Do Not Contact", [ADA, who("Ben", do_not_contact=True)], ("Ada", "Okoro")),
    ("one of three is Do Not Contact", [ADA, BEN, who("Cy", do_not_contact=True)], ("Ada and Ben", "Okoro")),
    ("one is Do Not Contact on the list", [ADA, who("Ben", memberships=[("news", True)])], ("Ada", "Okoro")),
    ("one opted out themself", [ADA, who("Ben", consent={consent.EVERYWHERE: consent.OUT})], ("Ada", "Okoro")),
    ("one is on no list", [ADA, off("Ben")], ("Ada", "Okoro")),
    ("a lodger who is on no list", [ADA, BEN, off("Dee", home=None)], ("Ada and Ben", "Okoro")),
    ("two lists of one audience", [ADA, who("Ben", memberships=[("gala", False)])], ("Ada and Ben", "Okoro")),
    ("a greeting that staff wrote", [who("Ada", home=FAMILY), who("Ben", home=FAMILY)], ("The Okoro family", "")),
    ("it is for all, not for one", [who("Ada", home=FAMILY), off("Ben", home=FAMILY)], ("Ada", "Okoro")),
    (
        "it does not name who gets no mail",
        [who("Ada", home=WRITTEN), who("Ben", home=WRITTEN, do_not_contact=True), who("Cy", home=WRITTEN)],
        ("Ada and Cy", "Okoro"),
    ),
]  # fmt: skip


def crowd_of(persons: list[Person]) -> Crowd:
    """These people, each changed later than the one before; those who were deleted have no address any more."""
    crowd = Crowd()
    for number, person in enumerate(persons):
        person.pk, person.updated_at = number + 1, NOW + timedelta(minutes=number)
        crowd.people[person.uid] = person
        if person.exists:
            crowd.by_address.setdefault(person.address_key, []).append(person)
    return crowd


def greeted(crowd: Crowd) -> set[tuple[str, str]]:
    """The names that those who are sent there would be given, asked one by one."""
    policy = Policy(container="audience")
    verdicts = [wanted_of(one, crowd, {}, policy, "mailchimp") for one in crowd.people.values()]
    members = [w.member for v in verdicts for w in v.containers.values() if w.member]
    return {(m.fields["first_name"], m.fields["last_name"]) for m in members}


@pytest.mark.parametrize(("case", "persons", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_L8_who_shares_an_address_is_greeted_as_one(
    case: str, persons: list[Person], expected: tuple[str, str]
) -> None:
    assert greeted(crowd_of(persons)) == {expected}, "and everybody's own row says the same"


def test_L8_only_those_of_the_same_audience_are_greeted_together() -> None:
    crowd = crowd_of([who("Ada"), who("Ben", memberships=[("gala", False)])])
    verdict = wanted_of(crowd.people["Ada"], crowd, {}, Policy(), "mailchimp")
    member = verdict.containers["list:news"].member
    assert member is not None
    assert member.fields["first_name"] == "Ada"


# --- through the whole engine, to the sandbox ---


@pytest.fixture
def world(sandbox: Any, tenant: Tenant, in_tenant: Tenant) -> World:
    """Connected, with one audience."""
    return World(tenant, sandbox)


def family(world: World, *names: str) -> tuple[Household, list[Contact]]:
    """People of these names with one address, on the newsletter, in one household."""
    news = world.a_list()
    contacts = [world.person(MAIL, news, first_name=name, last_name="Okoro") for name in names]
    return households.make_household(contacts), contacts


def name_there(world: World, email: str = MAIL) -> tuple[str, str]:
    """(first name, last name) of the member there."""
    member = world.there(email)
    assert member is not None
    return member["merge_fields"]["FNAME"], member["merge_fields"]["LNAME"]


@pytest.mark.django_db
def test_L8_a_household_is_greeted_together_through_every_change(world: World) -> None:
    household, (ada, ben, cy) = family(world, "Ada", "Ben", "Cy")
    world.push()
    assert name_there(world) == ("Ada, Ben and Cy", "Okoro")
    services.set_do_not_contact(Contact.objects.filter(pk=ben.pk), True)  # one opts out
    world.push()
    assert name_there(world) == ("Ada and Cy", "Okoro")
    assert world.standing(MAIL) == ("subscribed", ["Newsletter"])
    EmailAddress.objects.filter(contact=cy).update(address="cy@river.test", address_key="cy@river.test")  # grown up
    world.push()
    assert name_there(world) == ("Ada", "Okoro")
    assert name_there(world, "cy@river.test") == ("Cy", "Okoro")
    services.set_do_not_contact(Contact.objects.filter(pk=ben.pk), False)
    world.push()
    assert name_there(world) == ("Ada and Ben", "Okoro")
    Contact.objects.get(pk=ben.pk).delete()  # death
    world.push()
    assert name_there(world) == ("Ada", "Okoro")
    dee = world.person(MAIL, first_name="Dee", last_name="Reyes")
    services.add_to_list(ListMembership.objects.get(contact=ada).contact_list, Contact.objects.filter(pk=dee.pk))
    world.push()
    assert name_there(world) == ("Dee", "Reyes"), "a lodger: the one changed last"
    households.add_members(household, [dee.pk])
    world.push()
    assert name_there(world) == ("Ada and Dee", "")
    households.take_out(dee)
    world.push()
    assert name_there(world) == ("Dee", "Reyes")
    assert world.push() == 0


@pytest.mark.django_db
def test_L8_a_households_new_greeting_goes_out_for_all_of_them(world: World) -> None:
    household, (ada, ben) = family(world, "Ada", "Ben")
    world.push()
    household.greeting = "Ben & Ada"
    household.save()
    assert world.push() > 0
    assert name_there(world) == ("Ben & Ada", "Okoro")
    households.take_out(ben)
    ben.refresh_from_db()
    household.refresh_from_db()
    assert household.greeting == "", "it names somebody who has left"
    households.add_members(household, [ben.pk])
    world.push()
    assert name_there(world) == ("Ada and Ben", "Okoro")
    household.delete()
    world.push()
    assert name_there(world)[0] in ("Ada", "Ben")
    assert world.push() == 0


@pytest.mark.django_db
def test_L8_a_sync_of_a_household_in_step_changes_nothing(world: World) -> None:
    family(world, "Ada", "Ben")
    world.push()
    run = world.preview()
    assert (run.counts.get("update", 0), run.counts.get("create", 0)) == (0, 0)


@pytest.mark.django_db
def test_L8_a_greeting_never_comes_back_as_somebodys_first_name(world: World) -> None:
    from integrations.sync import pull, slices

    _, (ada, ben) = family(world, "Ada", "Ben")
    world.push()
    world.connection.settings["owners"] = {"first_name": "theirs", "last_name": "theirs"}
    world.connection.save()
    known = slices.members_known(world.record(ada))
    container, member = next(iter(known.items()))
    pull.apply(world.connection, container, member.but(fields={"first_name": "Both", "last_name": "O"}), (MAIL,))
    assert set(Contact.objects.values_list("first_name", flat=True)) == {"Ada", "Ben"}
    world.push()
    assert name_there(world) == ("Ada and Ben", "Okoro")


@pytest.mark.django_db
def test_people_are_read_in_as_many_queries_with_households_as_without(world: World) -> None:
    _, contacts = family(world, "Ada", "Ben")
    with CaptureQueriesContext(database) as with_one:
        people.load([one.uid for one in contacts], [])
    Contact.objects.update(household=None)
    with CaptureQueriesContext(database) as without:
        people.load([one.uid for one in contacts], [])
    assert len(with_one) == len(without)


@pytest.mark.django_db
def test_a_neighbours_household_of_the_same_address_notices_nothing(world: World, neighbour: Tenant) -> None:
    with inside(neighbour):
        other = World(neighbour, world.sandbox, login="harbor")
        theirs, _ = family(other, "Eve", "Fay")
        other.push()
    household, (ada, _) = family(world, "Ada", "Ben")
    world.push()
    ada.delete()
    household.delete()
    world.push()
    with inside(neighbour):
        assert other.push() == 0
        assert name_there(other) == ("Eve and Fay", "Okoro")
        assert theirs.members.count() == 2
