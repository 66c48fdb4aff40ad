"""Check a sandbox against the vendor's own description, through Prism.

    python -m tests.fakes.contract --vendor mailchimp --spec mailchimp.swagger.json --prism FOLDER

FOLDER is where ``npm install @stoplight/prism-cli`` was run. Every call goes through
``prism proxy --errors``, which refuses requests and answers that differ from the description.
Neither the description nor Prism is part of this project: without them it says so and ends with 0.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.fakes import ConstantContactSandbox, MailchimpSandbox, running
from tests.fakes.constant_contact import Options as ConstantContactOptions
from tests.fakes.constant_contact import contract_calls as constant_contact_calls
from tests.fakes.mailchimp import Options, contract_calls

PRISM = Path("node_modules/@stoplight/prism-cli/dist/index.js")


@dataclass
class Checker:
    """Makes calls through Prism and notes what it objects to."""

    base: str
    token: str
    prefix: str
    calls: int = 0
    violations: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None, expect: int = 200, **query: Any) -> Any:
        parts = urlsplit(self.base)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        url = f"{self.prefix}{path}" + (f"?{urlencode(query)}" if query else "")
        link.request(method, url, json.dumps(body) if body is not None else None, headers)
        answer = link.getresponse()
        content = answer.read()
        link.close()
        self.calls += 1
        complaint = answer.headers.get("sl-violations")
        if complaint or answer.status != expect:
            said = complaint or content.decode("utf-8", "replace")[:600]
            self.violations.append(f"{method} {url} -> {answer.status} (expected {expect}): {said}")
            return {}
        try:
            return json.loads(content)
        except ValueError:
            return {}


class Receiver(BaseHTTPRequestHandler):
    """Says yes to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def receiving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        server.shutdown()


@contextmanager
def prism(folder: Path, spec: Path, behind: str) -> Iterator[str]:
    """Prism in front of the sandbox. Started with node itself, so that ending it ends it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", str(folder / PRISM), "proxy", "-h", "127.0.0.1", "-p", str(port), "--errors"]
    process = subprocess.Popen([*command, str(spec), behind], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def mailchimp(folder: Path, spec: Path) -> Checker:
    sandbox = MailchimpSandbox(options=Options(batch_step_s=0.01))
    with running(sandbox), receiving() as hook, prism(folder, spec, sandbox.url) as address:
        check = Checker(address, sandbox.grant(), "/3.0")
        contract_calls.drive(check, next(iter(sandbox.account().audiences)), hook)
    return check


def constant_contact(folder: Path, spec: Path) -> Checker:
    sandbox = ConstantContactSandbox(options=ConstantContactOptions(per_second=0, activity_step_s=0.01))
    with running(sandbox), prism(folder, spec, sandbox.url) as address:
        check = Checker(address, sandbox.grant()["access_token"], "/v3")
        constant_contact_calls.drive(check, next(iter(sandbox.account().lists)))
    return check


VENDORS = {"mailchimp": mailchimp, "constant_contact": constant_contact}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.contract")
    parser.add_argument("--vendor", choices=VENDORS, required=True)
    parser.add_argument("--spec", type=Path, required=True, help="the vendor's description")
    parser.add_argument("--prism", type=Path, required=True, help="folder with node_modules/@stoplight/prism-cli")
    wish = parser.parse_args()
    for what, path in (("description", wish.spec), ("Prism", wish.prism / PRISM)):
        if not path.exists():
            print(f"Contract check: {what} not present, skipped.")
            return 0
    check = VENDORS[wish.vendor](wish.prism, wish.spec)
    for violation in check.violations:
        print(violation)
    print(f"Contract check of {wish.vendor}: {check.calls} calls, {len(check.violations)} violations.")
    return 1 if check.violations else 0


if __name__ == "__main__":
    sys.exit(main())
