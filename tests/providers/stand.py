"""Where a provider stands trial: the real provider on one side, its sandbox vendor on the other, nothing in between."""

from collections.abc import Iterable
from typing import Any

from contacts.tenancy.models import Tenant
from integrations.connecting import challenge_of
from integrations.models import Connection, Credential
from integrations.provider_kit.base import Provider
from integrations.provider_kit.errors import Done, Outcome
from integrations.provider_kit.states import ListOperation, Member, Operation, Places, Standing, Verb
from integrations.providers import provider_for
from tests.fakes.faults import Faults

NEWS, GALA = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ANA = "ana.ruiz@rivermail.test"
VERIFIER = "a-code-verifier-that-nobody-else-could-guess-0123456789"
CHALLENGE = challenge_of(VERIFIER)


class Stand:
    """One connection; subclasses say how the vendor is looked into."""

    key = ""

    def __init__(self, tenant: Tenant, sandbox: Any, settings: dict[str, Any], secret: dict[str, Any]) -> None:
        self.sandbox, self.tenant = sandbox, tenant
        self.connection = Connection.objects.create(
            tenant=tenant, provider=self.key, state=Connection.State.ACTIVE, settings=settings
        )
        Credential.store(self.connection, secret, None)
        self.places = Places()
        self.provider: Provider = provider_for(self.connection)

    # --- what the engine would do ---
    def container(self, list_uid: str = NEWS) -> str:
        """Where the people of this list live."""
        return self.provider.policy(self.connection.settings).container_of(list_uid)

    def make_list(self, uid: str = NEWS, name: str = "Newsletter") -> str:
        """Create a list there and remember its id, as the engine does."""
        outcome = self.provider.carry_out_list(ListOperation(Verb.CREATE_LIST, uid, self.container(uid), name))
        assert isinstance(outcome, Done), outcome
        self.places[uid, self.container(uid)] = outcome.remote_id
        self.places.names[uid, self.container(uid)] = name
        return outcome.remote_id

    def member(self, address: str = ANA, first: str = "Ana", lists: Iterable[str] = (NEWS,), **more: Any) -> Member:
        """A person as the planner would want them."""
        return Member(address, fields={"first_name": first, "last_name": "Ruiz"}, lists=frozenset(lists), **more)

    def op(self, verb: Verb, before: Member | None, after: Member, subject: str = "", at: str = NEWS) -> Operation:
        """An operation on one person."""
        return Operation(verb, subject or f"of {after.address}", self.container(at), before, after)

    def run(self, *operations: Operation) -> list[Outcome]:
        """Carry them out; the outcomes in the order of the operations."""
        found = {id(operation): outcome for operation, outcome in self.provider.carry_out(operations, self.places)}
        assert len(found) == len(operations)
        return [found[id(operation)] for operation in operations]

    def do(self, verb: Verb, before: Member | None, after: Member, at: str = NEWS) -> Outcome:
        """Carry out one operation."""
        return self.run(self.op(verb, before, after, at=at))[0]

    def known(self, verb: Verb, before: Member | None, after: Member) -> Member:
        """Carry out one operation that succeeds; the member as the vendor answered."""
        outcome = self.do(verb, before, after)
        assert isinstance(outcome, Done), outcome
        assert outcome.now is not None
        return outcome.now

    def create(self, address: str = ANA, **more: Any) -> Member:
        """Somebody new there."""
        return self.known(Verb.CREATE, None, self.member(address, **more))

    # --- the vendor ---
    def fail(self, *kinds: str, **more: Any) -> None:
        """From now on calls go wrong in these ways; none ends it."""
        self.sandbox.faults = Faults.from_json({"kinds": list(kinds), **more})

    def writes(self) -> list[dict[str, Any]]:
        """The writing calls so far."""
        return [call for call in self.sandbox.calls.since() if call["method"] != "GET"]

    def there(self, address: str) -> Member | None:
        """How the vendor itself holds somebody; `lists` as list uids."""
        raise NotImplementedError

    def leaves(self, address: str) -> None:
        """The person unsubscribes at the vendor."""
        raise NotImplementedError

    def renames(self, address: str, first_name: str) -> None:
        """Somebody changes the first name at the vendor."""
        raise NotImplementedError

    def was_there(self, address: str, first_name: str) -> None:
        """The account holder has put somebody there, on no list of ours."""
        raise NotImplementedError

    def revoke(self) -> None:
        """The account holder takes the permission back."""
        raise NotImplementedError

    def consent(self, provider: type[Provider], redirect_uri: str) -> str:
        """Somebody presses Allow, asked with `CHALLENGE`; the code that comes back."""
        raise NotImplementedError

    # An address that the vendor refuses for good.
    refused_address = ""


def is_on(member: Member | None, *lists: str) -> bool:
    """Whether the vendor holds this person as subscribed, on exactly these lists."""
    return member is not None and member.standing == Standing.SUBSCRIBED and member.lists == frozenset(lists)
