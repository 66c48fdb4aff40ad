"""The same organization with a Constant Contact connection: what the tests ask a `World`, answered by that sandbox."""

from typing import Any

from contacts.models import Contact, ContactList
from contacts.tenancy.models import Tenant
from integrations.providers.constant_contact import account
from tests.integrations.engine import World

PERMISSIONS = {"unsubscribed": "unsubscribed", "pending_confirmation": "pending"}


class ConstantContactWorld(World):
    """One tenant, its Constant Contact connection and the account at the sandbox."""

    provider = "constant_contact"
    mode = "constant_contact"
    refused = (f"{'a' * 60}@{'b' * 40}.test", "invalid_address")  # longer than the vendor takes
    removes = deletes = "delete"

    def __init__(self, tenant: Tenant, sandbox: Any, login: str = "river", grant: Any = None) -> None:
        self.grant = grant or sandbox.grant(login)
        super().__init__(tenant, sandbox, self.mode, login)

    def another(self, tenant: Tenant, login: str) -> World:
        """Another organization with the same vendor and application key."""
        return ConstantContactWorld(tenant, self.sandbox, login)

    def secret(self) -> dict[str, Any]:
        """What is stored after Connect."""
        return account.tokens(self.grant)

    def settings(self, mode: str) -> dict[str, Any]:
        """What the settings page would keep."""
        shown = {"organization": "River Trust", "email": "office@rivertrust.test", "address": "1 Mill Lane, Portland"}
        return {"account": shown, "fields": "names"}

    # --- there ---
    def home(self, one: ContactList) -> str:
        """Everybody lives in one place."""
        return "account"

    def there(self, email: str, audience: str = "") -> dict[str, Any] | None:
        """What the sandbox holds of a person, or None."""
        held = self.sandbox.state({"account": self.login, "email": email})["accounts"][self.login]["contacts"]
        return held[0] if held else None

    def standing(self, email: str, audience: str = "") -> Any:
        """(status in our words, names of the lists they are on) there, or None."""
        held = self.there(email)
        if held is None:
            return None
        names = {each.list_id: each.name for each in self.account.lists.values()}
        lists = sorted(names[each] for each in held["list_memberships"])
        permission = held["email_address"]["permission_to_send"]
        if permission in PERMISSIONS:
            return PERMISSIONS[permission], lists
        return "removed" if held.get("deleted_at") else "subscribed" if lists else "archived", lists

    def first_name(self, email: str, one: ContactList) -> str:
        held = self.there(email)
        return str(held.get("first_name", "")) if held else ""

    def lists_there(self) -> list[str]:
        """The names of all lists there."""
        return sorted(each.name for each in self.account.lists.values() if not each.deleted_at)

    def rename_there(self, email: str, first: str, last: str = "Ruiz") -> None:
        self.act("holder", "edit", email=email, first_name=first, last_name=last)

    def name_there(self, email: str) -> tuple[str, str]:
        held = self.there(email) or {}
        return str(held.get("first_name") or ""), str(held.get("last_name") or "")

    def stranger(self, email: str, list_name: str = "") -> None:
        """Somebody put there by the account holder."""
        self.act("holder", "add_contact", email=email, **({"list": list_name} if list_name else {}))

    def act(self, as_: str, action: str, **more: Any) -> Any:
        return self.sandbox.act({"as": as_, "action": action, "account": self.login, **more})

    def writes(self, since: int = 0) -> list[dict[str, Any]]:
        """The calls that change something there; renewing a token changes nothing."""
        return [c for c in super().writes(since) if "/token" not in c["path"]]

    def bulk(self, since: int = 0) -> list[dict[str, Any]]:
        """The pieces of bulk work that were handed in."""
        return [c for c in self.writes(since) if "/activities/" in c["path"]]

    def crowd(self, count: int, *lists: ContactList) -> list[Contact]:
        """Many people at once, as an import makes them."""
        from contacts.models import EmailAddress, ListMembership

        people = Contact.objects.bulk_create([Contact(first_name=f"P{n}", last_name="Ruiz") for n in range(count)])
        addresses = [(each, f"p{n}@crowd.test") for n, each in enumerate(people)]
        EmailAddress.objects.bulk_create(
            [EmailAddress(contact=p, address=a, address_key=a, is_primary=True) for p, a in addresses]
        )
        for one in lists:
            ListMembership.objects.bulk_create([ListMembership(contact=p, contact_list=one) for p in people])
        return people
