"""The demo's APIs each have a key of each organization, its video app a webhook, and its donations a fundraising page:
made at the first start, then kept up."""

import json
import os

from config.demo.environment import ACCOUNTS, KEYS
from contacts.tenancy import keys
from contacts.tenancy.acting import By, acting
from contacts.tenancy.keys import ApiToken
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from gifts.donating.pages import create_page
from gifts.models import PageIdentifier
from integrations import hooking
from integrations.models import OutgoingHook

NAMES = {"video": "Video app (sandbox)", "osdi": "Donation page (demo)", "donors": "Donors (demo)"}
PAGE = {
    "title": "Save the River", "origin_system": "Demo", "identifiers": ["demo:save-the-river"],
    "summary": "Donations of the demo’s donation form.",
}  # fmt: skip


def let_in() -> None:
    """As the environment of the demo says; without it, nothing."""
    for login, name in ACCOUNTS.items():
        tenant = Tenant.objects.filter(name=name).first()
        if tenant is None:
            continue
        with in_tenant(tenant):
            for api in KEYS:
                if secret := made(f"{api.upper()}_KEYS").get(login):
                    give_key(api, secret)
            if secret := made("VIDEO_SECRETS").get(login):
                keep_hook(f"{os.environ['DEMO_VIDEO_URL']}/webhooks/{login}", secret)
            if made("OSDI_KEYS"):
                keep_page()


def made(name: str) -> dict[str, str]:
    """{login: secret} of this kind."""
    found: dict[str, str] = json.loads(os.environ.get(f"DEMO_{name}") or "{}")
    return found


def give_key(api: str, secret: str) -> None:
    """Unless it is there."""
    if not ApiToken.objects.filter(secret_hash=keys.hash_of(secret)).exists():
        keys.issue(NAMES[api], set(KEYS[api]), None, secret=secret)


def keep_hook(url: str, secret: str) -> None:
    """The video app hears of news; the demo may run on other ports now."""
    hook = next((row for row in OutgoingHook.objects.all() if row.secret == secret), None)
    if hook is None:
        hook = hooking.register(url, OutgoingHook.Kind.values, None, secret=secret)[0]
    OutgoingHook.objects.filter(pk=hook.pk).update(url=url)


def keep_page() -> None:
    """A page that takes donations, as a program would have made it."""
    if not PageIdentifier.objects.filter(text=PAGE["identifiers"][0]).exists():
        with acting(By.SYSTEM, f"API key “{NAMES['osdi']}”"):
            create_page(PAGE, f"API key “{NAMES['osdi']}”")
