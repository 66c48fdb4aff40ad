"""Writes to one account's contacts. Everything is checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fakes.constant_contact import permission
from tests.fakes.constant_contact.errors import address_taken, conflict, invalid
from tests.fakes.constant_contact.options import Options
from tests.fakes.constant_contact.state import CORE, PARTS, Account, Contact, fold

MOST_LISTS = 50
NUMBERED = {"phone_numbers": "phone_number_id", "street_addresses": "street_address_id", "notes": "note_id"}


@dataclass(slots=True)
class Writer:
    """Who writes where, and when."""

    account: Account
    now: float
    options: Options

    # -- one person ---------------------------------------------------------------------------

    def create(self, row: dict[str, Any], source: str, *, permitted: str = "implicit", opted_in: str = "") -> Contact:
        """A new contact; a known address is refused in whatever status it is."""
        address = self.address_of(row)
        if address and (known := self.account.by_address.get(fold(address))):
            raise address_taken(known.contact_id)
        wanted = (row.get("email_address") or {}).get("permission_to_send") or permitted
        if wanted == "temp_hold":
            raise invalid("#/email_address/permission_to_send: temp_hold is set by the service only")
        self.check_parts(row)
        contact = Contact(self.account.next_id("contact"), len(self.account.contacts), address)
        contact.create_source = contact.update_source = source
        contact.created_at = contact.updated_at = contact.email_created_at = contact.email_updated_at = self.now
        contact.permission = ""
        contact.core = {name: row[name] for name in CORE if row.get(name) not in (None, "")}
        permission.change(contact, wanted, opted_in or source, self.now)
        self.put_parts(contact, row)
        self.account.add(contact)
        self.account.version += 1
        return contact

    def replace(self, contact: Contact, row: dict[str, Any]) -> None:
        """PUT: what is left out of the core is nulled, what is left out of the sub-resources stays."""
        source = row["update_source"]
        if contact.deleted_at and source != "Account":
            raise invalid("#/update_source: a deleted contact is restored by Account only")
        email = row.get("email_address") or {}
        address = self.address_of(row) or contact.address
        self.check_address(contact, address)
        wanted = email.get("permission_to_send") or contact.permission
        permission.check(contact, wanted, source)
        self.check_parts(row, contact)

        core = {name: row[name] for name in CORE if row.get(name) not in (None, "")}
        was_deleted = bool(contact.deleted_at)
        if was_deleted:
            self.revive(contact)
        if address != contact.address:
            self.move(contact, address)
        reason = email.get("opt_out_reason") or ""
        permission.change(contact, wanted, source, self.now, reason, clears=self.options.opt_out_clears_lists)
        changed = self.put_parts(contact, row)
        if changed or was_deleted or core != contact.core:
            contact.updated_at = self.now
        contact.core, contact.update_source = core, source
        self.account.version += 1

    def update(self, contact: Contact, row: dict[str, Any]) -> None:
        """A partial update: only what is given changes, and the clock moves only with something that does."""
        given = {name: row[name] for name in CORE if row.get(name) not in (None, "")}
        if given.items() <= contact.core.items():
            return
        contact.core = contact.core | given
        contact.updated_at = self.now
        self.account.version += 1

    def delete(self, contact: Contact) -> None:
        """Soft: id, address and opt-out are kept, memberships are not."""
        if contact.deleted_at:
            return
        contact.deleted_at = self.now
        contact.lists.clear()
        if not contact.opt_out_source:
            contact.opt_out_source, contact.opt_out_date = "Account", self.now
        if self.options.delete_moves_updated_at:
            contact.updated_at = self.now
        self.account.version += 1

    def revive(self, contact: Contact) -> None:
        contact.deleted_at = 0
        contact.updated_at = self.now
        if not permission.has_opted_out(contact):
            contact.opt_out_source, contact.opt_out_date, contact.opt_out_reason = "", 0, ""
        self.account.version += 1

    def unsubscribe(self, contact: Contact, source: str, reason: str = "") -> None:
        """By the link in a mail (Contact) or in the vendor's own pages (Account)."""
        clears = self.options.opt_out_clears_lists
        permission.change(contact, "unsubscribed", source, self.now, reason, clears=clears)
        self.account.version += 1

    def opt_in(self, contact: Contact, permitted: str, source: str = "Contact") -> None:
        """The person's own doing: allowed from any status."""
        if contact.permission == permitted:
            permission.opt_in(contact, source, self.now)
        permission.change(contact, permitted, source, self.now)
        self.account.version += 1

    def move(self, contact: Contact, address: str) -> None:
        """Another address, the same contact."""
        self.check_address(contact, address)
        if contact.address:
            del self.account.by_address[fold(contact.address)]
        contact.address, contact.email_updated_at = address, self.now
        self.account.index(contact)
        self.account.version += 1

    # -- lists --------------------------------------------------------------------------------

    def put_on(self, contact: Contact, lists: list[str]) -> bool:
        """Add to lists; False when that would be more than 50."""
        if len(contact.lists.keys() | set(lists)) > MOST_LISTS:
            return False
        if new := [each for each in lists if each not in contact.lists]:
            contact.lists |= dict.fromkeys(new, self.now)
            self.lists_changed(contact)
            self.account.version += 1
        return True

    def take_off(self, contact: Contact, lists: list[str]) -> None:
        if gone := [each for each in lists if each in contact.lists]:
            for each in gone:
                del contact.lists[each]
            self.lists_changed(contact)
            self.account.version += 1

    def lists_changed(self, contact: Contact) -> None:
        if self.options.lists_move_updated_at:
            contact.updated_at = self.now

    # -- pieces -------------------------------------------------------------------------------

    @staticmethod
    def address_of(row: dict[str, Any]) -> str:
        found = row.get("email_address") or {}
        return str(found["address"]).strip() if isinstance(found, dict) and found else str(found or "")

    def check_address(self, contact: Contact, address: str) -> None:
        other = self.account.by_address.get(fold(address)) if address else None
        if other and other is not contact:
            raise address_taken(other.contact_id)

    def check_parts(self, row: dict[str, Any], contact: Contact | None = None) -> None:
        """Lists, custom fields and tags that are named have to exist; birthdays come whole."""
        wanted = [each.lower() for each in row.get("list_memberships") or ()]
        self.check_lists(wanted)
        kept = contact.lists.keys() if contact and self.options.put_merges_lists else set()
        if len(set(wanted) | kept) > MOST_LISTS:
            raise conflict(f"A contact can be on {MOST_LISTS} lists at most.")
        for each in row.get("custom_fields") or ():
            if each["custom_field_id"].lower() not in self.account.custom_fields:
                raise invalid(f"#/custom_fields: custom field {each['custom_field_id']} does not exist")
        if row.get("taggings"):
            raise invalid("#/taggings: the sandbox's accounts have no tags")
        if (row.get("birthday_month") is None) != (row.get("birthday_day") is None):
            raise invalid("#: birthday_month and birthday_day must be used together")

    def check_lists(self, lists: list[str]) -> None:
        for each in lists:
            found = self.account.lists.get(each.lower())
            if found is None or found.deleted_at:
                raise invalid(f"#/list_memberships: list {each} does not exist")

    def put_parts(self, contact: Contact, row: dict[str, Any]) -> bool:
        """Replace the sub-resources that are given; whether anything changed."""
        changed = False
        if (lists := row.get("list_memberships")) is not None:
            wanted = dict.fromkeys((each.lower() for each in lists), self.now)
            base = contact.lists if self.options.put_merges_lists else {}
            held = base | {each: contact.lists.get(each, self.now) for each in wanted}
            changed = held.keys() != contact.lists.keys() and self.options.lists_move_updated_at
            contact.lists = held
        for name in PARTS:
            if (given := row.get(name)) is None:
                continue
            number = NUMBERED.get(name)
            held_part = [{number: self.account.next_id(name), **each} if number else each for each in given]
            changed, contact.parts[name] = True, held_part
        return changed
