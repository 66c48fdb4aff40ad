"""Mailchimp at a glance: what it can do, and where in this folder it is done."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings as installation

from integrations.provider_kit.base import Account, Can, Heard, ListThere, Policy, Provider
from integrations.provider_kit.errors import CallFailed, Outcome
from integrations.provider_kit.states import ListOperation, Member, Operation, Places
from integrations.providers.mailchimp import account, everybody, form, lists, members, people, webhooks
from integrations.providers.mailchimp.api import Api

NOWHERE = Places()


class Mailchimp(Provider):
    """Settings: mode (tags or audiences), audience, audience_name, contact, from_name, from_email,
    permission_reminder, language. Credential: token, dc, webhooks.
    """

    key, label = "mailchimp", "Mailchimp"
    blurb = "Keep your newsletter audience in step: lists, names, addresses and unsubscribes."
    can = frozenset({Can.PUSH_LISTS, Can.PUSH_CONTACTS, Can.READ_OPT_OUTS, Can.READ_MEMBERS, Can.WEBHOOKS, Can.OAUTH})

    @classmethod
    def policy(cls, settings: Mapping[str, Any]) -> Policy:
        shared = settings.get("mode") != "audiences"
        return Policy(container=f"audience:{settings.get('audience', '')}" if shared else "", batch_size=people.MOST)

    @classmethod
    def is_set_up(cls, settings: Mapping[str, Any]) -> bool:
        if settings.get("mode") == "audiences":
            return form.has_contact(settings)
        return settings.get("mode") == "tags" and bool(settings.get("audience"))

    @classmethod
    def is_available(cls) -> bool:
        return bool(installation.MAILCHIMP_CLIENT_ID and installation.MAILCHIMP_CLIENT_SECRET)

    @classmethod
    def authorize_url(cls, state: str, redirect_uri: str, code_challenge: str) -> str:
        return account.authorize_url(state, redirect_uri)

    @classmethod
    def account_from_code(cls, code: str, redirect_uri: str, code_verifier: str) -> Account:
        return account.account_from_code(code, redirect_uri)

    @cached_property
    def api(self) -> Api:
        """The line to the account; opened on first use."""
        secret = self.secret
        return Api(str(secret.get("token", "")), str(secret.get("dc", "")))

    def close(self) -> None:
        if "api" in self.__dict__:
            self.__dict__.pop("api").close()

    # --- pushing ---
    def carry_out(self, operations: Iterable[Operation], places: Places) -> Iterator[tuple[Operation, Outcome]]:
        return people.carry_out(self.api, operations, places)

    def carry_out_list(self, operation: ListOperation) -> Outcome:
        return lists.carry_out(self.api, self.settings, operation)

    def find_list(self, operation: ListOperation) -> str:
        return lists.find(self.api, operation)

    # --- hearing ---
    def opt_outs_page(
        self, container: str, cursor: str, places: Places | None = None, since: datetime | None = None
    ) -> tuple[list[Member], str]:
        where = members.container(container, places or NOWHERE)
        return webhooks.opt_outs_page(self.api, where, cursor) if where else ([], "")

    def members_page(self, container: str, cursor: str, places: Places | None = None) -> tuple[list[Member], str]:
        where = members.container(container, places or NOWHERE)
        return everybody.members_page(self.api, where, cursor) if where else ([], "")

    def lists_there(self, place: str) -> list[ListThere]:
        return everybody.lists_there(self.api, place)

    def look(self, container: str, address: str, remote_id: str = "", places: Places | None = None) -> Member | None:
        where = members.container(container, places or NOWHERE)
        return webhooks.look(self.api, where, address, remote_id) if where else None

    def listen(self, url: str, places: Places | None = None) -> Mapping[str, Any]:
        shared = members.container(self.policy(self.settings).container, NOWHERE)
        own = {found for (_, place), found in (places or NOWHERE).items() if place.startswith("list:")}
        held = self.secret.get("webhooks") or {}
        heard_at = webhooks.listen(self.api, url, [shared.audience] if shared else sorted(own), held)
        return {"webhooks": heard_at} if heard_at != held else {}

    def stop_listening(self) -> None:
        webhooks.stop_listening(self.api, self.secret.get("webhooks") or {})

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        try:
            held = self.secret.get("webhooks") or {}
        except CallFailed:
            held = {}  # The key cannot be read now; the unguessable address vouches for the message, which is a hint.
        return webhooks.is_genuine(headers, body, held)

    @classmethod
    def hear(cls, body: str) -> Heard:
        return webhooks.hear(body)

    # --- pages ---
    @classmethod
    def settings_form(cls) -> type[Any]:
        return form.MailchimpSettings
