"""The environment of the demo's parts: secrets made once, every vendor's address pointed at the sandbox."""

import base64
import json
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import quote

# What a developer's own settings might change.
PREFIXES = ("MAILCHIMP_", "CONSTANT_CONTACT_", "DONOR_PERFECT_", "Q_", "SECURE_", "ALMONER_", "API_", "BLIND_",
            "DEMO_")  # fmt: skip
VENDORS = ("mailchimp", "constant_contact", "donor_perfect", "video_app")
ACCOUNTS = {"river": "River Trust", "harbor": "Harbor Food Bank"}  # of the sandboxes, and whose they are
# {API: what its key may do}; the video app’s own key is the sandbox’s.
KEYS = {"video": ("video",), "osdi": ("osdi",), "donors": ("donors:read", "donors:write")}
OAUTH = ("mailchimp", "constant_contact")  # they send people back to us


def environment(folder: Path, port: int) -> dict[str, str]:
    """What every part is started with. Settings of this shell or of a .env file do not get in."""
    public, sandbox = f"http://127.0.0.1:{port}", vendors(port)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    return inherited | kept_secrets(folder / "demo.env") | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MODE": "demo",
        "DEBUG": "false",
        "DATABASE_URL": "sqlite:///" + quote(str(folder / "almoner.sqlite3")),
        "PUBLIC_URL": public,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "CSRF_TRUSTED_ORIGINS": f"{public},http://localhost:{port}",
        "EMAIL_URL": "filemail:///" + quote(str(folder / "mail")),
        "Q_BROKER_URL": "",
        "SAMPLE_IMPORT_FILE": str(folder / "sample-import.csv"),
        "OUTGOING_PRIVATE_NETWORKS": "127.0.0.0/8",
        "MAILCHIMP_CLIENT_ID": "almoner-sandbox",
        "MAILCHIMP_CLIENT_SECRET": "almoner-sandbox-secret",
        "MAILCHIMP_LOGIN_URL": sandbox["mailchimp"],
        "MAILCHIMP_API_URL": sandbox["mailchimp"] + "/{dc}",
        "CONSTANT_CONTACT_CLIENT_ID": "almoner-sandbox",
        "CONSTANT_CONTACT_CLIENT_SECRET": "almoner-sandbox-secret",
        "CONSTANT_CONTACT_LOGIN_URL": sandbox["constant_contact"] + "/oauth2/default/v1",
        "CONSTANT_CONTACT_API_URL": sandbox["constant_contact"],
        "DONOR_PERFECT_URL": sandbox["donor_perfect"],
        "DEMO_VIDEO_URL": sandbox["video_app"],
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


def vendors(port: int) -> dict[str, str]:
    """{vendor: address of its sandbox}: the ports after the one of the pages."""
    return {vendor: f"http://127.0.0.1:{port + number}" for number, vendor in enumerate(VENDORS, 1)}


def kept_secrets(path: Path) -> dict[str, str]:
    """The demo's own keys, made the first time: what was encrypted yesterday can be read today."""
    if not path.exists():
        path.touch(mode=0o600)
    kept = dict(line.split("=", 1) for line in path.read_text().splitlines() if line)
    made = new_secrets()
    if missing := [name for name in made if name not in kept]:
        kept |= {name: made[name] for name in missing}
        path.write_text("".join(f"{name}={value}\n" for name, value in kept.items()))
    return kept


def new_secrets() -> dict[str, str]:
    """Keys of the installation; for each organization a key of each API, and the secret of the video app's webhook."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": f"demo1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        **{
            f"DEMO_{name.upper()}_KEYS": json.dumps(
                {login: f"almoner_{secrets.token_urlsafe(32)}" for login in ACCOUNTS}
            )
            for name in KEYS
        },
        "DEMO_VIDEO_SECRETS": json.dumps({login: f"whsec_{secrets.token_urlsafe(32)}" for login in ACCOUNTS}),
    }


def parts(folder: Path, port: int) -> dict[str, list[str]]:
    """{name of a part: its command}."""
    web = ["-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    sandbox = ["-m", "tests.fakes", "--state", str(folder / "sandbox"), "--almoner", f"http://127.0.0.1:{port}"]
    for vendor, url in vendors(port).items():
        option = f"--{vendor.replace('_', '-')}"
        callback = f"http://127.0.0.1:{port}/integrations/{vendor}/callback/"
        sandbox += [f"{option}-port", url.rpartition(":")[2]]
        sandbox += [f"{option}-redirect", callback] if vendor in OAUTH else []
    return {
        "sandbox": [sys.executable, *sandbox],
        # Without the last option gunicorn leaves a socket in the home folder.
        "web": [sys.executable, *web, "--threads", "8", "--no-control-socket"],
        "worker": [sys.executable, "manage.py", "worker"],
    }
