"""Start the demo's parts, notice when one ends, and stop them all without leaving anything behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from django.conf import settings

GRACE = 50.0  # the worker may finish a job first


def end_with_parent() -> None:
    """In a new part, before it begins: have Linux stop it should the demo be killed without a chance to do so."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


class PartEnded(Exception):
    """One of the parts is gone; the message says which, how, and what it said last."""


class Stage:
    """The running parts, each in a process group of its own with a log file of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.logs = folder / "log"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.environment = environment
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def once(self, name: str, command: list[str]) -> str:
        """Run something to its end; what it said, or `PartEnded`."""
        self.start(name, command)
        process = self.running[name]
        process.wait()
        del self.running[name]
        if process.returncode:
            raise PartEnded(self.obituary(name, process.returncode))
        return self.tail(name)

    def start(self, name: str, command: list[str]) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=end_with_parent,
            )  # fmt: skip

    def check(self) -> None:
        """Raise `PartEnded` if one has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise PartEnded(self.obituary(name, process.returncode))

    def wait_until_answers(self, url: str, seconds: float = 60) -> str:
        """The body of the first good answer."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
                return str(answer.read().decode())
            time.sleep(0.2)
        raise PartEnded(f"Nothing answered at {url} within {seconds:.0f} seconds. The logs are in {self.logs}.")

    def stop(self) -> None:
        """Ask all of them to stop, give them time, and kill what is left of each group."""
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        until = time.monotonic() + GRACE
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, until - time.monotonic()))
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()

    def tail(self, name: str, lines: int = 12) -> str:
        """The last lines of a part's log."""
        text = (self.logs / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def obituary(self, name: str, code: int) -> str:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"The part “{name}” {how}. Its log ({self.logs / (name + '.log')}) ends with:\n{self.tail(name)}"
