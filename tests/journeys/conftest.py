"""A whole installation for a journey: the live site, a real worker beside it, and the sandbox vendor."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings as installation

from tests.integrations.desk import CALLBACK

PATIENCE = 45.0  # seconds; far above what anything takes, for machines that are busy with other tests


def wait_for(what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What it returns as soon as that is true; its last answer when time is up."""
    until = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < until:
        time.sleep(0.2)
    return answer


@pytest.fixture
def installed(live_server: Any, sandbox: Any, settings: Any) -> Any:
    """The sandbox and the live site know each other."""
    settings.PUBLIC_URL = live_server.url
    sandbox.register_redirect(live_server.url + CALLBACK)
    return sandbox


@pytest.fixture
def worker(installed: Any, database_url: str, tmp_path: Path) -> Iterator[Path]:
    """`manage.py worker` on the same database; gives the path of its log."""
    vendor = {
        "MAILCHIMP_CLIENT_ID": installation.MAILCHIMP_CLIENT_ID,
        "MAILCHIMP_CLIENT_SECRET": installation.MAILCHIMP_CLIENT_SECRET,
        "MAILCHIMP_LOGIN_URL": installed.url, "MAILCHIMP_API_URL": installed.url + "/{dc}",
    }  # fmt: skip
    with at_work(database_url, tmp_path / "worker.log", vendor) as log:
        yield log


@contextmanager
def at_work(database_url: str, log: Path, vendor: dict[str, str]) -> Iterator[Path]:
    """A worker on this database, which finds the vendor where these settings say."""
    environment = os.environ | {
        "MODE": "test", "DATABASE_URL": database_url, "PUBLIC_URL": installation.PUBLIC_URL, "Q_WORKERS": "1",
        "OUTGOING_PRIVATE_NETWORKS": "127.0.0.0/8",
    } | vendor  # fmt: skip
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=installation.BASE_DIR, env=environment,
            stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    yield log
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in family:
        if child.is_running():
            child.kill()
