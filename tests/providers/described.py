"""Check what our clients send against the vendors' own descriptions, through Prism.

    python -m tests.providers.described --vendor mailchimp --spec mailchimp.swagger.json --prism FOLDER

The counterpart of `tests.fakes.contract`, which checks the sandbox: here every operation of the provider goes through
``prism proxy --errors``. Without the description or Prism it says so and ends with 0.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402

from integrations.provider_kit.http import Answer, Http  # noqa: E402
from integrations.provider_kit.states import ListOperation, Member, Operation, Places, Standing, Verb  # noqa: E402
from integrations.providers.mailchimp import Mailchimp  # noqa: E402
from tests.conftest import sandbox_settings  # noqa: E402
from tests.fakes import ConstantContactSandbox, MailchimpSandbox, running  # noqa: E402
from tests.fakes.constant_contact import Options  # noqa: E402
from tests.fakes.contract import PRISM, prism, receiving  # noqa: E402
from tests.providers import described_constant_contact as other  # noqa: E402

CONTACT = {"company": "River Trust", "address1": "1 Mill Lane", "city": "Portland", "country": "US"}
NEWS, GALA = "news", "gala"


def client(sandbox: Any, mode: str) -> Mailchimp:
    """A provider without a database behind it."""
    account = sandbox.account()
    kept = {
        "mode": mode, "audience": next(iter(account.audiences)), "contact": CONTACT | {"state": "OR", "zip": "97201"},
        "from_name": "River Trust", "from_email": "news@rivertrust.test", "language": "en",
        "permission_reminder": "You signed up.",
    }  # fmt: skip
    secret = {"token": sandbox.grant(), "dc": account.dc}
    return Mailchimp(SimpleNamespace(settings=kept, credential=SimpleNamespace(read=lambda: secret)))


def lists(provider: Mailchimp) -> Places:
    """Two lists, made, renamed and found."""
    places = Places()
    for uid, name in ((NEWS, "Newsletter"), (GALA, "Gala")):
        place = provider.policy(provider.settings).container_of(uid)
        made: Any = provider.carry_out_list(ListOperation(Verb.CREATE_LIST, uid, place, name))
        places[uid, place], places.names[uid, place] = made.remote_id, name
        provider.carry_out_list(ListOperation(Verb.RENAME_LIST, uid, place, name, made.remote_id))
        provider.find_list(ListOperation(Verb.CREATE_LIST, uid, place, name))
    return places


def operations(container: str) -> Iterator[Operation]:
    """One person's life there, through every verb."""
    fields = {"first_name": "Ana", "last_name": "Ruiz"}
    ana = Member("ana@rivermail.test", fields=fields, lists=frozenset({NEWS, GALA}))
    moved = ana.but(address="ana.ruiz@rivermail.test", lists=frozenset({NEWS}))
    off = moved.but(standing=Standing.UNSUBSCRIBED, lists=frozenset())
    archived = moved.but(standing=Standing.ARCHIVED, lists=frozenset())
    life: list[tuple[Verb, Member | None, Member]] = [
        (Verb.CREATE, None, ana),
        (Verb.UPDATE, ana, ana.but(fields={"first_name": "Anna", "last_name": ""})),
        (Verb.UPDATE, ana, ana.but(lists=frozenset({NEWS}))),
        (Verb.UPDATE, ana, moved),
        (Verb.OPT_OUT, moved, off),
        (Verb.UPDATE, off, off.but(fields=fields)),
        (Verb.ASK, off, moved.but(standing=Standing.PENDING)),
        (Verb.ENABLE, off, moved),
        (Verb.DISABLE, moved, archived),
        (Verb.ENABLE, archived, moved),
        (Verb.OPT_OUT, ana.but(address="nobody@rivermail.test"), off.but(address="nobody@rivermail.test")),
    ]
    return (Operation(verb, str(n), container, before, after) for n, (verb, before, after) in enumerate(life))


def drive(provider: Mailchimp, hook: str) -> None:
    """Everything the provider can do."""
    places = lists(provider)
    container = provider.policy(provider.settings).container_of(NEWS)
    for operation in operations(container):
        for _, outcome in provider.carry_out([operation], places):
            print(f"  {operation.verb}: {outcome}"[:150])
    list(provider.opt_outs(container, places))
    provider.members_page(container, "", places)
    provider.lists_there(provider.policy(provider.settings).container)
    provider.look(container, "ana.ruiz@rivermail.test", places=places)
    provider.listen(hook, places)
    for (uid, place), remote_id in places.items():
        provider.carry_out_list(ListOperation(Verb.DELETE_LIST, uid, place, "", remote_id))


def mailchimp(folder: Path, spec: Path) -> None:
    sandbox = MailchimpSandbox()
    with running(sandbox), receiving() as hook, prism(folder, spec, sandbox.url) as address:
        for name, value in sandbox_settings(address).items():
            setattr(settings, name, value)
        settings.MAILCHIMP_API_URL = address  # the description knows no data centres
        for mode in ("tags", "audiences"):
            with client(sandbox, mode) as provider:
                drive(provider, hook)


def constant_contact(folder: Path, spec: Path) -> None:
    sandbox = ConstantContactSandbox(options=Options(per_second=0, activity_step_s=0.02))
    with running(sandbox), prism(folder, spec, sandbox.url) as address:
        other.point_at(address, sandbox.login_url())
        with other.client(sandbox) as provider:
            for operation, outcome in other.drive(provider, sandbox):
                print(f"  {operation.verb}: {outcome}"[:150])
    assert not sandbox.account().sign_ups, "the client called sign_up_form"


VENDORS = {"mailchimp": mailchimp, "constant_contact": constant_contact}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.providers.described")
    parser.add_argument("--vendor", choices=VENDORS, required=True)
    parser.add_argument("--spec", type=Path, required=True, help="the vendor's description")
    parser.add_argument("--prism", type=Path, required=True, help="folder with node_modules/@stoplight/prism-cli")
    wish = parser.parse_args()
    for what, path in (("description", wish.spec), ("Prism", wish.prism / PRISM)):
        if not path.exists():
            print(f"Client check: {what} not present, skipped.")
            return 0
    complaints: list[str] = []
    calls = watched(complaints)
    try:
        VENDORS[wish.vendor](wish.prism, wish.spec)
    finally:
        print(*complaints, sep="\n")  # also where they led to something worse
    print(f"Client check of {wish.vendor}: {len(calls)} calls, {len(complaints)} violations.")
    return 1 if complaints or not calls else 0


def watched(complaints: list[str]) -> list[str]:
    """Note every call, and what Prism objects to."""
    call, calls = Http.call, list[str]()

    def noting(http: Http, method: str, path: str, **more: Any) -> Answer:
        answer = call(http, method, path, **more)
        calls.append(path)
        # A wrong request is Prism's own 422, a wrong answer its own 500; the sandbox, left in peace, gives neither.
        if answer.status >= 422 or "sl-violations" in answer.headers:
            complaints.append(f"{method} {path} -> {answer.status}: {answer.text[:600]}")
        return answer

    Http.call = noting  # type: ignore[method-assign,assignment]
    return calls


if __name__ == "__main__":
    sys.exit(main())
