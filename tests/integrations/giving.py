"""An organization connected to the sandbox DonorPerfect, whose looks for gifts are taken by hand."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.models import Gift
from integrations import switching
from integrations.models import Connection, Credential, GiftRun, GiftRunItem, RemoteRecord, Switch
from integrations.sync import gift_pages
from integrations.sync.serve import serve
from tests.factories import UserFactory

ALL = ("new_gift", "sent", "replies", "watches")


class DonorPerfectWorld:
    """One tenant with a connection whose key is the one of the sandbox's account."""

    def __init__(
        self, tenant: Tenant, sandbox: Any, account: str = "river", on: tuple[str, ...] = ("new_gift",)
    ) -> None:
        self.tenant, self.sandbox, self.account = tenant, sandbox, account
        with in_tenant(tenant):
            codes = dict.fromkeys(ALL, "TYV")
            self.connection = Connection.objects.create(
                tenant=tenant, provider="donor_perfect", state=Connection.State.ACTIVE, account_id=account,
                connected_at=timezone.now(), settings={switching.CODES: codes},
            )  # fmt: skip
            Credential.store(self.connection, {"key": sandbox.issued_key(account)}, None)
            self.user = UserFactory()
            for kind in on:
                switching.turn_on(self.connection, kind, self.user)

    # --- there ---
    def act(self, action: str, **more: Any) -> dict[str, Any]:
        """What somebody does in DonorPerfect itself."""
        wish = {"as": "holder", "account": self.account, "action": action, **more}
        return dict(self.sandbox.act(wish) or {})

    def donor(self, **values: Any) -> int:
        given = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@donors.test"} | values
        return int(self.act("add_donor", **given)["donor_id"])

    def gift(self, donor: int, amount: Any = 100, **values: Any) -> int:
        return int(self.act("add_gift", donor=donor, amount=amount, **values)["gift_id"])

    def faults(self, *kinds: str, **more: Any) -> None:
        from tests.fakes.faults import Faults

        self.sandbox.faults = Faults.from_json({"kinds": list(kinds), "timeout_s": 0.3, **more}) if kinds else Faults()

    @property
    def interactions(self) -> list[dict[str, Any]]:
        return self.sandbox.account(self.account).rows("SELECT * FROM dpcontact ORDER BY contact_id")

    def calls(self) -> int:
        return sum(each["path"].startswith("/prod") for each in self.sandbox.calls.since())

    # --- here ---
    def look(self, kind: str = "new") -> GiftRun:
        """Begin a look and go on until it is over."""
        with in_tenant(self.tenant):
            run = gift_pages.begin(self.connection, kind)
        assert run is not None
        self.work()
        return self.again(run)

    def work(self, turns: int = 20) -> None:
        """Turns of a worker until nothing is to be done."""
        with in_tenant(self.tenant):
            Connection.objects.filter(pk=self.connection.pk).update(retry_at=None)
        for _ in range(turns):
            if not serve(self.connection.pk):
                return

    def again(self, run: GiftRun) -> GiftRun:
        with in_tenant(self.tenant):
            found: GiftRun = GiftRun.objects.get(pk=run.pk)
            return found

    def gifts(self, **which: Any) -> list[Gift]:
        with in_tenant(self.tenant):
            return list(Gift.objects.filter(**which).select_related("contact", "replaces").order_by("pk"))

    def items(self, **which: Any) -> list[tuple[str, str, str]]:
        with in_tenant(self.tenant):
            rows = GiftRunItem.objects.filter(**which).order_by("pk")
            return list(rows.values_list("gift_id_there", "outcome", "reason"))

    def records(self, **which: Any) -> list[RemoteRecord]:
        with in_tenant(self.tenant):
            return list(RemoteRecord.objects.filter(kind="interaction", **which).order_by("pk"))

    def switch(self, kind: str = "new_gift") -> Switch:
        with in_tenant(self.tenant):
            found: Switch = Switch.objects.get(connection=self.connection, kind=kind)
            return found

    def since(self, kind: str, **ago: float) -> None:
        """The switch was turned on so long ago."""
        with in_tenant(self.tenant):
            rows = Switch.objects.filter(connection=self.connection, kind=kind)
            rows.update(turned_on_at=timezone.now() - timedelta(**ago))
