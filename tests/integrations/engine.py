"""A connected organization in one process: the engine's turns are taken by hand, the vendor is the real sandbox."""

from typing import Any

import pytest

from contacts.models import Contact, ContactList, EmailAddress, ListMembership
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant
from integrations.models import Connection, Credential, RemoteRecord, SyncRun
from integrations.sync import runs
from integrations.sync.serve import serve

ACCOUNT = "river"
# What a list is at a service. Which rows are read and written is the same for all, so PostgreSQL sees the first only.
AUDIENCES = pytest.param("audiences", marks=pytest.mark.once)
CONSTANT_CONTACT = pytest.param("constant_contact", marks=pytest.mark.once)


class World:
    """One tenant, its Mailchimp connection and the account at the sandbox."""

    provider = "mailchimp"
    refused = ("ana@example.com", "fake_address")  # an address that the vendor does not take, and our code for it
    removes, deletes = "archive", "delete_permanent"  # what the account holder there can do to somebody

    def __init__(self, tenant: Tenant, sandbox: Any, mode: str = "tags", login: str = ACCOUNT) -> None:
        self.tenant = tenant
        self.sandbox = sandbox
        self.login = login
        self.account = sandbox.account(login)
        self.connection = Connection.objects.create(
            tenant=tenant, provider=self.provider, state=Connection.State.ACTIVE, settings=self.settings(mode)
        )
        Credential.store(self.connection, self.secret(), None)

    @property
    def audience(self) -> str:
        """The account's first audience."""
        return next(iter(self.account.audiences))

    def another(self, tenant: Tenant, login: str) -> "World":
        """Another organization with the same vendor."""
        return World(tenant, self.sandbox, "tags", login)

    def secret(self) -> dict[str, Any]:
        """What is stored after Connect."""
        return {"token": self.sandbox.grant(self.login), "dc": self.account.dc}

    def settings(self, mode: str) -> dict[str, Any]:
        """What the settings page would keep."""
        return {
            "mode": mode,
            "audience": self.audience,
            "audience_name": "Supporters",
            "dc": self.account.dc,
            "contact": {
                "company": "River Trust", "address1": "1 Mill Lane", "city": "Portland", "state": "OR", "zip": "97201",
                "country": "US",
            },
            "from_name": "River Trust",
            "from_email": "news@rivertrust.test",
            "permission_reminder": "You signed up on our website.",
            "language": "en",
        }  # fmt: skip

    # --- here ---
    def person(self, email: str, *lists: ContactList, **values: Any) -> Contact:
        """A contact with this primary address, on these lists."""
        contact = Contact.objects.create(**({"first_name": "Ana", "last_name": "Ruiz"} | values))
        if email:
            EmailAddress.objects.create(contact=contact, address=email, is_primary=True)
        for one in lists:
            ListMembership.objects.create(contact=contact, contact_list=one)
        return contact

    def a_list(self, name: str = "Newsletter", **values: Any) -> ContactList:
        """A synchronized list."""
        return ContactList.objects.create(name=name, **({"synchronize": True} | values))

    def place(self, contact: Contact, one: ContactList) -> ListMembership:
        """The contact's place on a list."""
        return ListMembership.objects.get(contact=contact, contact_list=one)

    def record(self, subject: Any) -> RemoteRecord:
        """The ledger's row of a contact or list."""
        return RemoteRecord.objects.get(connection=self.connection, subject_uid=subject.uid)

    # --- the engine ---
    def push(self, turns: int = 60) -> int:
        """Take turns until nothing is left to do; returns how many calls were made at the vendor."""
        before = len(self.calls())
        for _ in range(turns):
            if not serve(self.connection.pk):
                break
        return len(self.calls()) - before

    def preview(self, new_settings: dict[str, Any] | None = None) -> SyncRun:
        """Press *Sync* and wait for the preview."""
        run = runs.start(self.connection, None, new_settings)
        self.push()
        run.refresh_from_db()
        return run

    def sync(self, new_settings: dict[str, Any] | None = None) -> SyncRun:
        """Press *Sync*, confirm, and wait for the end."""
        run = self.preview(new_settings)
        runs.confirm(run, None)
        self.push()
        run.refresh_from_db()
        return run

    # --- there ---
    def home(self, one: ContactList) -> str:
        """The audience at the sandbox that members of this list live in."""
        if self.connection.settings["mode"] == "tags":
            return self.audience
        return str(self.record(one).known["ids"][f"list:{one.uid}"])

    def seen(self, who: Contact | str, one: ContactList) -> str:
        """ "on", a status, "off" (subscribed, but not on that list) or "absent", as the vendor has it."""
        email = who if isinstance(who, str) else str(who.primary_email)
        member = self.standing(email, self.home(one))
        if member is None:
            return "absent"
        status, names = member
        if status != "subscribed":
            return str(status)
        return "on" if self.connection.settings.get("mode") == "audiences" or one.name in names else "off"

    def first_name(self, email: str, one: ContactList) -> str:
        """The first name there."""
        held = self.there(email, self.home(one))
        return str(held["merge_fields"]["FNAME"]) if held else ""

    def rename_there(self, email: str, first: str, last: str = "Ruiz") -> None:
        """Somebody changes the name at the vendor."""
        self.act("person", "update_profile", email=email, merge_fields={"FNAME": first, "LNAME": last})

    def name_there(self, email: str) -> tuple[str, str]:
        """First and last name there."""
        fields = (self.there(email) or {}).get("merge_fields", {})
        return str(fields.get("FNAME", "")), str(fields.get("LNAME", ""))

    def stranger(self, email: str, list_name: str = "") -> None:
        """Somebody put there by the account holder."""
        self.act("holder", "add_member", email=email, **({"tags": [list_name]} if list_name else {}))

    def there(self, email: str, audience: str = "") -> dict[str, Any] | None:
        """What the sandbox holds of a person, or None."""
        held = self.sandbox.state({"account": self.login})["accounts"][self.login]["audiences"]
        for one in held:
            if one["id"] == (audience or self.audience):
                return next((m for m in one["members"] if m["email_address"].lower() == email.lower()), None)
        return None

    def standing(self, email: str, audience: str = "") -> Any:
        """(status, tags) there, or None."""
        member = self.there(email, audience)
        return (member["status"], sorted(tag_names(member))) if member else None

    def calls(self) -> list[dict[str, Any]]:
        """Every call the sandbox has answered."""
        return self.sandbox.calls.since(0)

    def writes(self, since: int = 0) -> list[dict[str, Any]]:
        """The calls that change something there."""
        return [c for c in self.calls()[since:] if c["method"] != "GET"]

    def act(self, as_: str, action: str, **more: Any) -> Any:
        """Do something there, as the person or the account holder."""
        return self.sandbox.act({"as": as_, "action": action, "account": self.login, "audience": self.audience, **more})


def tag_names(member: dict[str, Any]) -> list[str]:
    """A member's tags by name."""
    return [t["name"] if isinstance(t, dict) else t for t in member["tags"]]


def as_staff(user: Any = None) -> Any:
    """Attribute what follows to staff."""
    return acting(By.STAFF, "Almoner", user)
