"""`manage.py demo`: two organizations, their vendors and everything else, running on this machine until Ctrl-C."""

import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.demo import sample_file
from config.demo.environment import ACCOUNTS, KEYS, environment, parts, vendors
from config.demo.seed import PASSWORD, WORKERS
from config.demo.stage import PartEnded, Stage

OURS = (
    "sandbox",
    "mail",
    "log",
    "demo.json",
    "demo.env",
    "sample-import.csv",
    "sample-gifts.csv",
    "almoner.sqlite3",
    "almoner.sqlite3-wal",
    "almoner.sqlite3-shm",
)


# {API: its name, and the page to try it}
TRY = {
    "video": ("Video app", "/api/video/v1/try"), "osdi": ("Donation helper", "/api/osdi/try"),
    "donors": ("Donors", "/api/donors/try"),
}  # fmt: skip
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # the last: the terminal was closed


class Stopped(Exception):
    """One of the signals that end the demo."""


class Command(BaseCommand):
    help = "Runs everything with invented data on this machine, and goes on where it was when started again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="The web address; the sandboxes are on the ports after it."
        )
        parser.add_argument("--var", default="var", metavar="DIR", help="Where data, logs and mail are kept.")
        parser.add_argument("--contacts", type=int, default=0, help="Make River Trust this large.")
        parser.add_argument("--reset", action="store_true", help="Start afresh.")
        parser.add_argument("--no-input", action="store_true", help="Accepted for scripts; nothing is ever asked.")

    def handle(self, *args: Any, port: int, var: str, contacts: int, reset: bool, **options: Any) -> None:
        folder = Path(settings.BASE_DIR, var).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        for number in ENDING:
            signal.signal(number, stop)
        try:
            self.alone(folder, port, contacts, reset)
        except Stopped:
            self.stdout.write("\nStopped. Everything is kept: the same command goes on from here.")
        except PartEnded as problem:
            raise CommandError(f"{problem}\n\nEverything else was stopped.") from None

    def alone(self, folder: Path, port: int, contacts: int, reset: bool) -> None:
        """Run, unless another demo uses this folder or these ports."""
        with (folder / "demo.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandError(f"A demo is running in {folder} already. Stop it, or use another --var.") from None
            refuse_busy_ports(port)
            (folder / "demo.json").unlink(missing_ok=True)
            if reset:
                start_afresh(folder)
            self.run(folder, port, contacts)

    def run(self, folder: Path, port: int, contacts: int) -> None:
        """Prepare, start, say so, and wait."""
        stage = Stage(folder, environment(folder, port))
        try:
            self.prepare(stage, contacts)
            for name, command in parts(folder, port).items():
                stage.start(name, command)
            self.stdout.write("Starting the web pages, the worker and the sandbox vendors …")
            self.stdout.flush()
            started(stage, port)
            description = describe(port, stage.environment)
            write_whole(folder / "demo.json", json.dumps(description, indent=2) + "\n")
            self.stdout.write(welcome(description, folder))
            self.stdout.flush()
            while True:
                stage.check()
                time.sleep(0.5)
        finally:
            ignore_signals()
            (folder / "demo.json").unlink(missing_ok=True)
            stage.stop()

    def prepare(self, stage: Stage, contacts: int) -> None:
        """The tables and the people."""
        self.stdout.write("Preparing the database …")
        self.stdout.flush()
        stage.once("migrate", [sys.executable, "manage.py", "migrate", "--verbosity", "1", "--no-input"])
        if contacts > 5000:
            self.stdout.write(f"Inventing {contacts:,} contacts; this takes about a second per thousand …")
            self.stdout.flush()
        sample_file.write(Path(stage.environment["SAMPLE_IMPORT_FILE"]).parent)
        stage.once("people", [sys.executable, "manage.py", "demo_data", "--contacts", str(contacts)])


def stop(*_: Any) -> None:
    """Leave whatever is going on; what was started is stopped on the way out."""
    raise Stopped


def ignore_signals() -> None:
    """Pressing Ctrl-C again does not leave half of it running."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def refuse_busy_ports(port: int) -> None:
    """A sentence instead of a failure later on."""
    for number in range(port, port + 1 + len(vendors(port))):
        what = "the web pages" if number == port else "the sandbox vendors"
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                raise CommandError(
                    f"Port {number} is taken, and {what} need it. Choose another: make demo PORT={port + 1000}"
                    f" (or manage.py demo --port {port + 1000})."
                ) from None


def start_afresh(folder: Path) -> None:
    """Remove what the demo wrote, and nothing else."""
    for name in OURS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def started(stage: Stage, port: int) -> None:
    """Every part answers: the vendors, the pages, and the worker by the sign of life that it leaves."""
    before = time.time()
    for sandbox in vendors(port).values():
        stage.wait_until_answers(f"{sandbox}/_sandbox/health")
    stage.wait_until_answers(f"http://127.0.0.1:{port}/admin/login/")
    while True:
        health = json.loads(stage.wait_until_answers(f"http://127.0.0.1:{port}/healthz"))
        age = health["worker_heartbeat_seconds"]
        if age is not None and age <= time.time() - before:
            return
        if time.time() - before > 90:
            raise PartEnded(f"The worker gives no sign of life. Its log ends with:\n{stage.tail('worker')}")
        time.sleep(0.5)


def describe(port: int, environment: dict[str, str]) -> dict[str, Any]:
    """What a script needs to know."""
    logins = [
        [role, organization, worker.email, PASSWORD]
        for worker in WORKERS
        for organization, role in [(o, str(r)) for o, r in worker.places] or [("", "operator")]
    ]
    made = {api: json.loads(environment[f"DEMO_{api.upper()}_KEYS"]) for api in KEYS}
    return {
        "url": f"http://127.0.0.1:{port}",
        "logins": logins,
        "tokens": {api: {ACCOUNTS[login]: key for login, key in keys.items()} for api, keys in made.items()},
        "sandbox": vendors(port),
        "mail": f"http://127.0.0.1:{port}/demo/mail/",
    }


def write_whole(path: Path, text: str) -> None:
    """Whoever reads the file finds all of it or none."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    os.replace(draft, path)


def welcome(description: dict[str, Any], folder: Path) -> str:
    """What a person needs to know."""
    url, sandbox = description["url"], description["sandbox"]
    lines = ["", f"Almoner runs at {url}/", "", f"Log in with one of these; the password is always {PASSWORD}"]
    for role, organization, user, _ in description["logins"]:
        where = (
            f"{organization}, {role}" if organization else f"runs the installation, at {url}/{settings.OPERATORS_PATH}"
        )
        lines.append(f"  {user:<28} {where}")
    lines += [
        "",
        "What to try first, as ana@rivertrust.test (the README tells it step by step):",
        "  1. Gifts: open Integrations and press Connect on the card of DonorPerfect; its sandbox shows the key.",
        "     Turn on what it does, add a gift at the sandbox, press Look now, and open Thank-yous.",
        "  2. Send the video in the sandbox video app, watch it and reply as the donor:",
        "     it is saved on the donor at DonorPerfect.",
        "  3. Lists: press Connect on the card of Mailchimp (or of Constant Contact).",
        "     Its sandbox asks who you are: user river, password sandbox.",
        "  4. Review the settings and save them, press Sync, look at the preview, and confirm it.",
        "     Change somebody's name and watch it arrive at the sandbox.",
        f"  5. Open Import and bring in {folder / 'sample-import.csv'}: 5,000 messy contacts.",
        f"     {folder / 'sample-gifts.csv'} holds 400 gifts of people who are here: choose Gifts for it.",
        "",
        f"The sandbox Mailchimp: {sandbox['mailchimp']}/",
        f"The sandbox Constant Contact: {sandbox['constant_contact']}/",
        f"The sandbox DonorPerfect: {sandbox['donor_perfect']}/",
        f"The sandbox video app, which uses the API: {sandbox['video_app']}/",
        "",
        "The APIs, to be tried with one of these keys:",
        *[
            f"  {words:<17} {url}{path:<18} {organization:<18} {key}"
            for api, (words, path) in TRY.items()
            for organization, key in description["tokens"][api].items()
        ],
        "",
        f"Mail, which goes to nobody: {description['mail']}",
        f"Logs are in {folder / 'log'}",
        "Ctrl-C stops everything. make demo RESET=1 starts afresh.",
        "",
    ]
    return "\n".join(lines)
