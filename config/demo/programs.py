"""The demo's video app has an API key of each organization, and a webhook: made at the first start, then kept up."""

import json
import os

from config.demo.environment import ACCOUNTS
from contacts.tenancy import keys
from contacts.tenancy.keys import ApiToken
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from integrations import hooking
from integrations.models import OutgoingHook

NAME = "Video app (sandbox)"


def let_in() -> None:
    """As the environment of the demo says; without it, nothing."""
    made, secrets = (json.loads(os.environ.get(f"DEMO_VIDEO_{name}") or "{}") for name in ("KEYS", "SECRETS"))
    for login, name in ACCOUNTS.items():
        tenant = Tenant.objects.filter(name=name).first()
        if tenant is None or login not in made:
            continue
        with in_tenant(tenant):
            if not ApiToken.objects.filter(secret_hash=keys.hash_of(made[login])).exists():
                keys.issue(NAME, {"video"}, None, secret=made[login])
            url = f"{os.environ['DEMO_VIDEO_URL']}/webhooks/{login}"
            hook = next((row for row in OutgoingHook.objects.all() if row.secret == secrets[login]), None)
            if hook is None:
                hook = hooking.register(url, OutgoingHook.Kind.values, None, secret=secrets[login])[0]
            OutgoingHook.objects.filter(pk=hook.pk).update(url=url)  # the demo may run on other ports now
