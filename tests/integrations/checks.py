"""What the tests of checks share: pressing the buttons, and mischief at each vendor."""

from typing import Any

from django.db.models import Q

from contacts.models import Contact, ContactList, EmailAddress, ListMembership
from integrations.models import ListCheck, RunItem, SyncRun
from integrations.sync import runs
from tests.integrations.engine import World

Kind = RunItem.Difference


def mail(number: int) -> str:
    """The address of one of the crowd."""
    return f"p{number}@rivermail.test"


def crowd(world: World, size: int, *lists: ContactList) -> list[Contact]:
    """So many people on these lists, there as well."""
    people = Contact.objects.bulk_create([Contact(first_name=f"P{n}", last_name="Ruiz") for n in range(size)])
    EmailAddress.objects.bulk_create(
        [EmailAddress(contact=p, address=mail(n), address_key=mail(n), is_primary=True) for n, p in enumerate(people)]
    )
    for one in lists:
        ListMembership.objects.bulk_create([ListMembership(contact=p, contact_list=one) for p in people])
    world.push()
    return people


def check(world: World, user: Any = None) -> SyncRun:
    """Press *Check* and wait for what it finds; without somebody who pressed, it is the one by night."""
    run = runs.start(world.connection, user, kind=SyncRun.Kind.CHECK)
    world.push(turns=500)
    run.refresh_from_db()
    return run


def repair(world: World, run: SyncRun, chosen: Q | None = None) -> SyncRun:
    """Choose rows, or all, and wait for the end."""
    assert runs.confirm(run, run.started_by, chosen)
    world.push(turns=500)
    run.refresh_from_db()
    return run


def classes(run: SyncRun) -> dict[str, str]:
    """{address: class} of everything that was found."""
    return dict(run.items.values_list("address", "difference"))


def figure(one: ContactList) -> tuple[int, int]:
    """How many of a list were in step at the last check, of how many."""
    found = ListCheck.objects.get(list_uid=one.uid)
    return found.in_step, found.members


class Mischief:
    """What an account holder or a person can do there; `put_on` and the like name a list by its name."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_mailchimp = world.provider == "mailchimp"

    def do(self, who: str, action: str, one: ContactList, **more: Any) -> None:
        """An act in the place where members of this list live."""
        home = {"audience": self.world.home(one)} if self.is_mailchimp else {}
        self.world.act(who, action, **(more | home))

    def rename(self, email: str, one: ContactList) -> None:
        """Another name."""
        if self.is_mailchimp:
            fields = {"FNAME": "Somebody", "LNAME": "Else"}
            self.do("person", "update_profile", one, email=email, merge_fields=fields)
        else:
            self.do("holder", "edit", one, email=email, first_name="Somebody", last_name="Else")

    def move(self, email: str, to: str, one: ContactList) -> None:
        """Another address."""
        self.do("person", "change_address", one, email=email, new_email=to)

    def take_off(self, email: str, one: ContactList) -> None:
        """Off a list, and there all the same."""
        tag = {"tag": one.name} if self.is_mailchimp else {"list": one.name}
        self.do("holder", "remove_tag" if self.is_mailchimp else "take_off_list", one, email=email, **tag)

    def put_on(self, email: str, one: ContactList) -> None:
        """On a list that they are not on here."""
        if not self.is_mailchimp:
            self.do("holder", "put_on_list", one, email=email, list=one.name)
        elif self.world.connection.settings["mode"] == "tags":
            self.do("holder", "add_tag", one, email=email, tag=one.name)
        else:
            self.do("holder", "add_member", one, email=email)

    def remove(self, email: str, one: ContactList) -> None:
        """Archived, where there is such a thing; deleted, so that they could come back."""
        self.do("holder", self.world.removes, one, email=email)

    def leave(self, email: str, one: ContactList) -> None:
        """The person unsubscribes."""
        self.do("person", "unsubscribe", one, email=email)

    def return_(self, email: str, one: ContactList) -> None:
        """The person signs up again by a form of the vendor, which is on a list of ours there."""
        self.do("person", "sign_up", one, email=email, **({} if self.is_mailchimp else {"list": one.name}))
        if self.is_mailchimp and self.world.connection.settings["mode"] == "tags":
            self.do("holder", "add_tag", one, email=email, tag=one.name)

    def add(self, email: str, one: ContactList, **more: Any) -> None:
        """Somebody put there by the account holder."""
        if self.is_mailchimp:
            tags = {"tags": [one.name]} if self.world.connection.settings["mode"] == "tags" else {}
            self.do("holder", "add_member", one, email=email, **tags, **more)
        else:
            self.do("holder", "add_contact", one, email=email, list=one.name, **more)
