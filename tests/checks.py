"""`make check`: everything that can be judged without running the tests, each check with its name and its verdict."""

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
TEST = {"MODE": "test"}
# Nothing but what production needs, made up on the spot; the developer's own settings do not get in.
PRODUCTION = {
    "MODE": "production",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "FIELD_ENCRYPTION_KEYS": "check1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
    "ALLOWED_HOSTS": "almoner.test",
    "PUBLIC_URL": "https://almoner.test",
}

CHECKS: list[tuple[str, list[str], dict[str, str]]] = [
    ("style", ["-m", "ruff", "check", "--no-fix", "."], {}),
    ("formatting", ["-m", "ruff", "format", "--check", "."], {}),
    ("types", ["-m", "mypy"], TEST),
    ("Django", ["manage.py", "check", "--fail-level", "WARNING"], TEST),
    ("deployment", ["manage.py", "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
    ("migrations", ["manage.py", "makemigrations", "--check", "--dry-run"], TEST),
    ("import directions", ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_architecture.py"], TEST),
]


def main() -> int:
    """Run them all, even after one has failed."""
    failed = []
    for name, command, environment in CHECKS:
        done = subprocess.run(
            [PYTHON, *command], cwd=BASE_DIR, env=os.environ | environment, check=False, capture_output=True, text=True
        )
        print(f"{'ok' if done.returncode == 0 else 'FAILED':<7} {name}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
    print("All checks passed." if not failed else f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
