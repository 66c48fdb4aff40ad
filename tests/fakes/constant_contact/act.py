"""One act of a person or an account holder: who, where, on whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.constant_contact import activity_work
from tests.fakes.constant_contact.lists import living
from tests.fakes.constant_contact.state import CORE, Account, Contact, ContactList, fold
from tests.fakes.constant_contact.writing import Writer

if TYPE_CHECKING:
    from tests.fakes.constant_contact.app import ConstantContactSandbox


class Act:
    """One act on its way; a wrong name anywhere in it is a ValueError."""

    def __init__(self, sandbox: ConstantContactSandbox, account: Account, wish: dict[str, Any]) -> None:
        self.sandbox, self.account, self.wish = sandbox, account, wish
        self.now = sandbox.now()
        activity_work.advance(account, self.now, sandbox.options)

    @property
    def email(self) -> str:
        return str(self.wish["email"]).strip()

    @property
    def contact(self) -> Contact:
        if contact := self.account.by_address.get(fold(self.email)):
            return contact
        raise ValueError(f"{self.email} is not in this account.")

    @property
    def list(self) -> ContactList:
        """By id or by name; the first one when none is named."""
        wanted = self.wish.get("list")
        for found in living(self.account):
            if not wanted or wanted in (found.list_id, found.name):
                return found
        raise ValueError("No such list.")

    @property
    def fields(self) -> dict[str, Any]:
        return {name: self.wish[name] for name in CORE if name in self.wish}

    @property
    def write(self) -> Writer:
        return Writer(self.account, self.now, self.sandbox.options)
