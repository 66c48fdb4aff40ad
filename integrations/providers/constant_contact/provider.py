"""Constant Contact at a glance: what it can do, and where in this folder it is done."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings as installation

from integrations.provider_kit.base import Account, Can, Limits, ListThere, Policy, Provider
from integrations.provider_kit.errors import Outcome
from integrations.provider_kit.gate import Gate
from integrations.provider_kit.grants import Grant
from integrations.provider_kit.states import ListOperation, Member, Operation, Places
from integrations.providers.constant_contact import account, bulk, form, lists, people, reading
from integrations.providers.constant_contact.api import Api
from integrations.providers.constant_contact.members import ACCOUNT, Where
from integrations.providers.constant_contact.reading import Faces

NAMES = ("first_name", "last_name")


class ConstantContact(Provider):
    """Settings: account (for review), fields (names or address). Credential: access_token, refresh_token, expires_at.

    There are no messages from the vendor: who left is asked for, every hour and, in full, every day.
    """

    key, label = "constant_contact", "Constant Contact"
    blurb = "Keep your Constant Contact lists in step: people, names, addresses and unsubscribes."
    can = frozenset({Can.PUSH_LISTS, Can.PUSH_CONTACTS, Can.READ_OPT_OUTS, Can.READ_MEMBERS, Can.OAUTH, Can.KEEP_ALIVE})
    look_size = 200
    archived_have_not_left = True

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.read_before: dict[str, Faces] = {}

    @classmethod
    def policy(cls, settings: Mapping[str, Any]) -> Policy:
        fields = () if settings.get("fields") == form.ADDRESS else NAMES
        return Policy(container=ACCOUNT, batch_size=bulk.MOST, fields=fields, longest_field=50)

    @classmethod
    def is_set_up(cls, settings: Mapping[str, Any]) -> bool:
        return bool(settings.get("account"))

    @classmethod
    def limits(cls, settings: Mapping[str, Any]) -> Limits | None:
        key = hashlib.sha256(installation.CONSTANT_CONTACT_CLIENT_ID.encode()).hexdigest()
        per_second, per_day = installation.CONSTANT_CONTACT_PER_SECOND, installation.CONSTANT_CONTACT_PER_DAY
        return Limits(per_second, per_day, f"{cls.key}:{key[:32]}") if per_second and per_day else None

    @classmethod
    def is_available(cls) -> bool:
        return bool(installation.CONSTANT_CONTACT_CLIENT_ID)

    @classmethod
    def authorize_url(cls, state: str, redirect_uri: str, code_challenge: str) -> str:
        return account.authorize_url(state, redirect_uri, code_challenge)

    @classmethod
    def account_from_code(cls, code: str, redirect_uri: str, code_verifier: str) -> Account:
        return account.account_from_code(code, redirect_uri, code_verifier, Gate(cls.label, cls.limits({}), None))

    @cached_property
    def grant(self) -> Grant:
        """The tokens, renewed by one worker at a time."""
        return Grant(self, account.renew)

    @cached_property
    def api(self) -> Api:
        """The line to the account; opened on first use."""
        gate = Gate(self.label, self.limits(self.settings), self.connection.tenant_id)
        return Api(self.grant.token, self.grant.renewed, gate, lambda: self.is_urgent)

    def keep_alive(self) -> None:
        self.grant.renewed(str(self.secret.get("access_token", "")))

    def close(self) -> None:
        if "api" in self.__dict__:
            self.__dict__.pop("api").close()

    def where(self, places: Places | None) -> Where:
        """The account with our lists in it."""
        return Where(places, self.policy(self.settings).fields)

    # --- pushing ---
    def carry_out(self, operations: Iterable[Operation], places: Places) -> Iterator[tuple[Operation, Outcome]]:
        return people.carry_out(self.api, self.where(places), operations)

    def carry_out_list(self, operation: ListOperation) -> Outcome:
        return lists.carry_out(self.api, operation)

    def find_list(self, operation: ListOperation) -> str:
        return lists.find(self.api, operation)

    # --- hearing ---
    def opt_outs_page(
        self, container: str, cursor: str, places: Places | None = None, since: datetime | None = None
    ) -> tuple[list[Member], str]:
        return reading.opt_outs_page(self.api, self.where(places), cursor, since)

    def members_page(self, container: str, cursor: str, places: Places | None = None) -> tuple[list[Member], str]:
        return reading.members_page(self.api, self.where(places), cursor)

    def lists_there(self, place: str) -> list[ListThere]:
        return lists.there(self.api)

    def look(self, container: str, address: str, remote_id: str = "", places: Places | None = None) -> Member | None:
        return self.look_many(container, [(address, remote_id)], places)[0]

    def look_many(
        self, container: str, people: Sequence[tuple[str, str]], places: Places | None = None,
        tickets: Collection[str] = (),
    ) -> list[Member | None]:  # fmt: skip
        return reading.look_many(self.api, self.where(places), people, tickets, self.read_before)

    # --- pages ---
    @classmethod
    def settings_form(cls) -> type[Any]:
        return form.ConstantContactSettings
