"""Settings: production refuses to start with anything missing or left at its example, and says which."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import DEMO_KEY, DEMO_SECRET
from tests.checks import PRODUCTION

ROOT = Path(__file__).resolve().parent.parent


def start(*command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """A command, else `manage.py check`, with production's environment and these changes; None takes one out."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV") if name in os.environ}
    environment = {name: value for name, value in (PRODUCTION | changes).items() if value is not None}
    return subprocess.run(
        [sys.executable, *(command or ("manage.py", "check"))],
        cwd=ROOT, env=inherited | environment, check=False, capture_output=True, text=True,
    )  # fmt: skip


def test_control_production_starts_when_everything_is_set() -> None:
    done = start()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me-change-me"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "0123" * 20),
        ("SECRET_KEY", DEMO_SECRET),
        ("FIELD_ENCRYPTION_KEYS", None),
        ("FIELD_ENCRYPTION_KEYS", "k1:change-me"),
        ("FIELD_ENCRYPTION_KEYS", f"k1:{DEMO_KEY}"),
        ("ALLOWED_HOSTS", None),
        ("PUBLIC_URL", None),
        ("PUBLIC_URL", "http://almoner.test"),
        ("DEBUG", "true"),
    ],
)
def test_production_refuses_to_start_and_names_the_setting(name: str, bad: str | None) -> None:
    done = start(**{name: bad})
    assert done.returncode != 0
    refusal = done.stderr[done.stderr.index("does not start in production mode") :]
    assert re.findall(r"^- (\w+)", refusal, re.M) == [name]


@pytest.mark.parametrize("mode", ["prod", "Production", ""])
def test_a_mode_that_does_not_exist_is_refused_instead_of_starting_with_the_demos_secrets(mode: str) -> None:
    done = start(MODE=mode)
    assert done.returncode != 0
    assert "it must be production, demo or test" in done.stderr


def test_production_names_everything_that_is_missing_at_once() -> None:
    done = start(SECRET_KEY=None, FIELD_ENCRYPTION_KEYS=None, ALLOWED_HOSTS=None, PUBLIC_URL=None, MODE=None)
    named = re.findall(r"^- (\w+)", done.stderr, re.M)
    assert named == ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "ALLOWED_HOSTS", "PUBLIC_URL"]


@pytest.mark.parametrize("keys", ["k1:c2hvcnQ=", "no-colon", "k1:" + "A" * 43 + "=,k1:" + "B" * 43 + "="])
def test_production_refuses_keys_that_are_no_keys(keys: str) -> None:
    done = start(FIELD_ENCRYPTION_KEYS=keys)
    assert done.returncode != 0
    assert "FIELD_ENCRYPTION_KEYS" in done.stderr
    assert keys not in done.stderr


def read_by_settings() -> dict[str, str]:
    """{name: default as text} of every `env…("NAME", default=…)` in the settings."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "config" / "settings.py").read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).partition(".")[0] == "env" and node.keywords:
            value = node.keywords[0].value
            default = "" if not isinstance(value, ast.Constant) else str(value.value)
            found[ast.literal_eval(node.args[0])] = default
    return found


def example() -> dict[str, str]:
    """What `.env.example` sets."""
    return dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", (ROOT / ".env.example").read_text(), re.M))


def test_the_example_lists_every_setting_with_its_default() -> None:
    settings = read_by_settings()
    assert len(settings) > 30
    assert example() == settings


SHOW = "from config import settings as s; print(s.DATABASES['default']['NAME'], s.STATIC_ROOT, sep='\\n')"


def test_a_copy_of_the_example_with_the_secrets_filled_in_starts_with_the_defaults() -> None:
    shown = start("-c", SHOW, **(example() | PRODUCTION))
    assert shown.stdout.split() == [str(ROOT / "var" / "almoner.sqlite3"), str(ROOT / "static-root")], shown.stderr
    assert start(**(example() | PRODUCTION)).returncode == 0
