"""DonorPerfect at a glance: what it can do, the four switches, the key, and the letter that asks for it (D1–D4)."""

from collections.abc import Collection, Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any

from django.conf import settings as installation

from integrations.provider_kit.base import Account, Can, Letter, Policy, Provider, Question, SwitchKind
from integrations.provider_kit.errors import CallFailed, Refused
from integrations.provider_kit.giving import GiftPage, Interaction
from integrations.providers.donor_perfect import gifts
from integrations.providers.donor_perfect.client import DonorPerfect
from integrations.providers.donor_perfect.interactions import marker_for

NEW_GIFT, SENT, REPLIES, WATCHES = "new_gift", "sent", "replies", "watches"
SUPPORT, CONSULTANT = "api@softerware.com", "mwarren@softerware.com"


class DonorPerfectProvider(Provider):
    """Settings: client_id and user, as the letter needs them. Credential: key.

    No lists and no newsletters: gifts come from there, and interactions go there.
    """

    key, label = "donor_perfect", "DonorPerfect"
    blurb = "Thank donors for new gifts, and save in DonorPerfect what became of each thank-you video."
    can = frozenset({Can.KEY, Can.PULL_GIFTS, Can.WRITE_INTERACTIONS})
    key_questions = (
        Question("client_id", "DonorPerfect Online client id", "DonorPerfect shows it when you log in."),
        Question("user", "DonorPerfect user", "The user that you made there for this connection."),
    )
    switches = (
        SwitchKind(
            NEW_GIFT, "New gift added",
            "For each gift that is entered in DonorPerfect from now on, somebody here is asked to thank the donor.",
        ),
        SwitchKind(
            SENT, "Save task sent",
            "When a thank-you video is sent from now on, an interaction is saved on the donor in DonorPerfect.",
            needs_code=True,
        ),
        SwitchKind(
            REPLIES, "Save replies",
            "When a donor replies to such a video, an interaction with their words is saved in DonorPerfect.",
            needs_code=True,
        ),
        SwitchKind(
            WATCHES, "Save watches",
            "When a donor watches such a video, an interaction is saved in DonorPerfect.",
            needs_code=True,
        ),
    )  # fmt: skip

    code_words = "activity code"
    no_codes = (
        "DonorPerfect has no activity code that is in use. Add one there under Settings, Code Maintenance, Activity "
        "Code, and come back."
    )

    @classmethod
    def policy(cls, settings: Mapping[str, Any]) -> Policy:
        """Nobody is put on lists there, so nothing about people is sent."""
        return Policy(fields=())

    @classmethod
    def is_set_up(cls, settings: Mapping[str, Any]) -> bool:
        return True

    @classmethod
    def is_available(cls) -> bool:
        return bool(installation.DONOR_PERFECT_URL)

    @classmethod
    def key_letter(cls, organization: str, given: Mapping[str, str]) -> Letter:
        client_id, user = given.get("client_id") or "…", given.get("user") or "…"
        body = (
            "Hello,\n\n"
            "please send us an API key for our DonorPerfect Online system, for use with Almoner.\n\n"
            f"Organization: {organization}\n"
            f"DonorPerfect Online client id: {client_id}\n"
            f"Name of the user for the key: {user}\n\n"
            "Thank you!\n"
            f"{organization}\n"
        )
        return Letter(SUPPORT, CONSULTANT, f"API key for {organization}, client id {client_id}", body)

    @classmethod
    def account_from_key(cls, key: str, given: Mapping[str, str]) -> Account:
        """DonorPerfect does not say whose key it is: the client id is what the organization says itself."""
        with DonorPerfect(key) as client:
            client.try_key()
        client_id = given.get("client_id", "").strip()
        label = f"Client {client_id}" if client_id else ""
        return Account(client_id.upper(), label, {"key": key.strip()}, {name: given.get(name, "") for name in given})

    @classmethod
    def knows_gifts(cls, key: str, known: Mapping[str, date]) -> bool:
        """Most of them are there on their days; a few may have been deleted or dated anew."""
        with DonorPerfect(key) as client:
            found = client.gifts_by_id([int(number) for number in known])
        there = {str(row.gift_id): row.gift_date or row.created_on for row in found}
        return 2 * sum(there.get(number) == day for number, day in known.items()) >= len(known)

    @cached_property
    def client(self) -> DonorPerfect:
        """The questions to this account; opened on first use."""
        return DonorPerfect(str(self.secret.get("key", "")))

    def close(self) -> None:
        if "client" in self.__dict__:
            self.__dict__.pop("client").api.close()

    def codes(self) -> list[tuple[str, str]]:
        return [(each.code, each.description or each.code) for each in self.client.activity_codes()]

    def switch_mark(self, kind: str) -> dict[str, Any]:
        """New gifts are those with a higher number than the highest one of now (dossier, section 8)."""
        return gifts.mark_now(self.client) if kind == NEW_GIFT else {}

    # -- gifts (gifts.py) -----------------------------------------------------------------------

    gift_switch = NEW_GIFT
    gifts_begin = staticmethod(gifts.begin)
    gifts_reached = staticmethod(gifts.furthest)

    def gifts_page(self, kind: str, cursor: str, mark: Mapping[str, Any]) -> GiftPage:
        return gifts.page(self.client, kind, cursor, mark)

    def gifts_present(self, gift_ids: Collection[str]) -> set[str]:
        return {str(number) for number in self.client.gifts_present([int(each) for each in gift_ids])}

    # -- interactions ---------------------------------------------------------------------------

    interaction_switches = MappingProxyType({"sent": SENT, "replied": REPLIES, "watched": WATCHES})

    @classmethod
    def person_id_of(cls, text: str) -> str:
        """Donors have whole numbers."""
        text = text.strip()
        return text if text.isascii() and text.isdecimal() and len(text) < 12 and int(text) else ""

    def find_interaction(self, one: Interaction) -> str:
        found = self.client.find_interaction(int(one.person_id), marker_for(one.uid))
        return str(found) if found else ""

    def save_interaction(self, one: Interaction) -> str:
        """Asked first whether there is such a donor: what is saved on a number that nobody has may be lost silently."""
        if not self.client.is_donor(int(one.person_id)):
            raise CallFailed(Refused("person_gone", f"DonorPerfect has no donor {one.person_id} any more."))
        saved = self.client.save_interaction(
            donor_id=int(one.person_id), on=one.on, activity_code=one.code, comment=one.text, marker=marker_for(one.uid)
        )
        return str(saved)
