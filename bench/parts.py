"""The processes of a scenario: a fresh database, the sandbox vendor, steps of ours, and for edits web and worker."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0  # seconds for a process to answer


class Parts:
    """One fresh set of them; everything is stopped and thrown away at the end of the `with`."""

    def __init__(
        self, profile: Path | None = None, database: str = "", vendor: str = "mailchimp",
        more: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.profile = profile
        self.vendor = vendor
        self.database = database  # an empty PostgreSQL, otherwise a file of SQLite
        self.more = more or {}  # further settings
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        folder = tempfile.TemporaryDirectory(prefix="almoner-bench-", ignore_cleanup_errors=True)
        self.folder = Path(self._stack.enter_context(folder))
        ports = {name: free_port() for name in ("mailchimp", "constant_contact", "donor_perfect", "video_app")}
        self.sandbox = f"http://127.0.0.1:{ports[self.vendor]}"
        self.web = self.another_address()
        wishes = [f"--{vendor.replace('_', '-')}-port={port}" for vendor, port in ports.items()]
        self.run("-m", "tests.fakes", *wishes)
        wait_for(self.sandbox + "/_sandbox/health")
        self.step("prepare")
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    def another_address(self) -> str:
        """Where a web server can listen."""
        return f"http://127.0.0.1:{free_port()}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings of all our processes: those of the demo, with everything on."""
        return os.environ | {
            "MODE": "demo",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": self.database or f"sqlite:///{self.folder / 'bench.sqlite3'}",
            "PUBLIC_URL": self.web,
            "OUTGOING_PRIVATE_NETWORKS": "127.0.0.0/8",
            "BENCH_SANDBOX": self.sandbox,
            "BENCH_VENDOR": self.vendor,
            **self.addresses,
            **self.more,
        }

    @property
    def addresses(self) -> dict[str, str]:
        """Where the vendor that is measured is found, and how its sandbox knows us."""
        name = self.vendor.upper()
        if self.vendor == "donor_perfect":
            return {f"{name}_URL": self.sandbox, f"{name}_PAUSE_SECONDS": "0"}
        found = {f"{name}_CLIENT_ID": "almoner-sandbox", f"{name}_CLIENT_SECRET": "almoner-sandbox-secret"}
        if self.vendor == "mailchimp":
            return found | {f"{name}_LOGIN_URL": self.sandbox, f"{name}_API_URL": self.sandbox + "/{dc}"}
        return found | {f"{name}_LOGIN_URL": f"{self.sandbox}/oauth2/default/v1", f"{name}_API_URL": self.sandbox}

    # --- processes ---
    def run(self, *command: str) -> subprocess.Popen[bytes]:
        """A process that stays until the end."""
        log = (self.folder / "processes.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        self._stack.callback(stop, process)
        log.close()
        return process

    def step(self, name: str, **wishes: Any) -> Any:
        """Run one of `bench.step` in a process of its own, and return what it found."""
        environment = self.environment
        if self.profile and name == "sync":
            environment["BENCH_PROFILE"] = str(self.profile)
        done = subprocess.run(
            [sys.executable, "-m", "bench.step", name, json.dumps(wishes)],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)

    # --- the sandbox ---
    def control(self, name: str, wish: dict[str, Any] | None = None) -> Any:
        """Ask the sandbox (`wish` None), or tell it."""
        return control(self.sandbox, name, wish)


def control(sandbox: str, name: str, wish: dict[str, Any] | None = None) -> Any:
    """One call to the sandbox's control addresses."""
    data = None if wish is None else json.dumps(wish).encode()
    with urllib.request.urlopen(f"{sandbox}/_sandbox/{name}", data, timeout=PATIENCE) as answer:
        return json.load(answer)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    """Until something answers there."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and end it if it does not."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def slow_answers(parts: Parts, milliseconds: float) -> Iterator[None]:
    """Each answer of the vendor takes so long."""
    parts.control("faults", {"latency_ms": milliseconds})
    try:
        yield
    finally:
        parts.control("faults", {})
