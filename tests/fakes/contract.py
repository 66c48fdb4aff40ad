"""Check the sandbox against the vendor's own description, through Prism.

    python -m tests.fakes.contract --spec mailchimp.swagger.json --prism FOLDER

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

from tests.fakes import MailchimpSandbox, running
from tests.fakes.mailchimp import Options
from tests.fakes.mailchimp.state import address_id

PRISM = Path("node_modules/@stoplight/prism-cli/dist/index.js")
JOE, ANN, BO = "joe@rivermail.test", "ann@rivermail.test", "bo@rivermail.test"
CONTACT = {
    "company": "River Trust",
    "address1": "1 Mill Lane",
    "city": "Portland",
    "state": "OR",
    "zip": "97201",
    "country": "US",
}
LIST = {
    "name": "Supporters",
    "permission_reminder": "You signed up on our website.",
    "email_type_option": False,
    "contact": CONTACT,
    "campaign_defaults": {"from_name": "R", "from_email": "a@rivertrust.test", "subject": "", "language": "en"},
}


@dataclass
class Checker:
    """Makes calls through Prism and notes what it objects to."""

    base: str
    token: str
    calls: int = 0
    violations: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None, expect: int = 200, **query: Any) -> Any:
        parts = urlsplit(self.base)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        url = f"/3.0{path}" + (f"?{urlencode(query)}" if query else "")
        link.request(method, url, json.dumps(body) if body is not None else None, headers)
        answer = link.getresponse()
        content = answer.read()
        link.close()
        self.calls += 1
        complaint = answer.headers.get("sl-violations")
        if complaint or answer.status != expect:
            said = complaint or content.decode("utf-8", "replace")[:600]
            self.violations.append(f"{method} {url} -> {answer.status} (expected {expect}): {said}")
        try:
            return json.loads(content)
        except ValueError:
            return {}


def drive(check: Checker, list_id: str, hook_url: str) -> None:
    """The calls a sync makes, good ones and refused ones."""
    here = f"/lists/{list_id}"
    for part in (the_account, the_members, the_bulk, the_tags, the_columns, the_refusals):
        part(check, here)
    the_webhooks(check, here, hook_url)
    the_lists(check)
    the_batches(check, here)


def the_account(check: Checker, here: str) -> None:
    check.call("GET", "/")
    check.call("GET", "/ping")
    check.call("GET", "/authorized-apps")
    check.call("GET", "/search-members", query="rivermail")
    check.call("GET", "/lists", count=100)
    check.call("GET", "/lists", fields="lists.id,lists.name,total_items,constraints")
    check.call("GET", here, include_total_contacts="true")
    check.call("GET", f"{here}/interest-categories")


def the_members(check: Checker, here: str) -> None:
    joe = f"{here}/members/{address_id(JOE)}"
    ann = f"{here}/members/{address_id(ANN)}"
    people = f"{here}/members"
    row = {"email_address": JOE, "status": "subscribed", "merge_fields": {"FNAME": "Joe"}, "tags": ["A"]}
    check.call("POST", people, row, skip_merge_validation="true")
    check.call("PUT", joe, {"email_address": JOE, "status_if_new": "subscribed", "merge_fields": {"LNAME": "D"}})
    check.call("PUT", joe, {"email_address": ANN, "status": "subscribed"})
    check.call("GET", joe, expect=404)
    check.call("GET", ann)
    check.call("PATCH", ann, {"status": "unsubscribed"})
    check.call("GET", f"{ann}/activity-feed")
    check.call("GET", f"{ann}/activity")
    check.call("PATCH", ann, {"status": "pending"})
    check.call("PATCH", ann, {"email_address": JOE}, expect=400)
    check.call("PATCH", ann, {"status": "subscribed"})
    check.call("PATCH", ann, {"email_address": JOE})
    check.call("PUT", ann, {"email_address": ANN, "status_if_new": "transactional"})
    for status in ("subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"):
        check.call("GET", people, status=status, count=1000)
    since = {"since_last_changed": "2026-01-01T00:00:00+00:00", "sort_field": "last_changed", "sort_dir": "ASC"}
    check.call("GET", people, **since, fields="members.id,members.status,total_items")
    check.call("GET", people, status="unsubscribed", unsubscribed_since="2026-01-01T00:00:00+00:00")
    check.call("DELETE", ann, expect=204)
    check.call("GET", ann)
    check.call("DELETE", ann, expect=405)
    check.call("POST", f"{ann}/actions/delete-permanent", expect=204)


def the_bulk(check: Checker, here: str) -> None:
    rows = [
        {"email_address": BO, "status_if_new": "subscribed", "merge_fields": {"FNAME": "Bo"}, "tags": ["A"]},
        {"email_address": JOE, "merge_fields": {"LNAME": "Door"}},
        {"email_address": ANN, "status_if_new": "subscribed"},
        {"email_address": "x@example.com", "status": "subscribed"},
    ]
    check.call("POST", here, {"members": rows, "update_existing": True}, skip_merge_validation="true")
    check.call("POST", here, {"members": rows[:2], "update_existing": False, "sync_tags": False})


def the_tags(check: Checker, here: str) -> None:
    bo = f"{here}/members/{address_id(BO)}"
    tags = [{"name": "Volunteers", "status": "active"}, {"name": "A", "status": "inactive"}]
    check.call("POST", f"{bo}/tags", {"tags": tags, "is_syncing": True}, expect=204)
    check.call("GET", f"{bo}/tags")
    check.call("GET", f"{here}/tag-search", name="Vol")
    number = check.call("POST", f"{here}/segments", {"name": "Board", "static_segment": [JOE]}).get("id")
    check.call("GET", f"{here}/segments", type="static", count=1000)
    check.call("GET", f"{here}/segments/{number}")
    check.call("POST", f"{here}/segments/{number}", {"members_to_add": [BO], "members_to_remove": [JOE]})
    check.call("GET", f"{here}/segments/{number}/members")
    check.call("POST", f"{here}/segments/{number}/members", {"email_address": JOE})
    check.call("DELETE", f"{here}/segments/{number}/members/{address_id(JOE)}", expect=204)
    check.call("PATCH", f"{here}/segments/{number}", {"name": "Trustees"})
    check.call("DELETE", f"{here}/segments/{number}", expect=204)
    check.call("POST", f"{here}/segments", {"name": "Volunteers", "static_segment": []}, expect=400)


def the_columns(check: Checker, here: str) -> None:
    check.call("GET", f"{here}/merge-fields", count=1000)
    for kind in ("text", "number", "address", "phone", "date", "url", "birthday", "zip"):
        made = check.call("POST", f"{here}/merge-fields", {"name": kind.title(), "type": kind, "tag": f"X{kind[:8]}"})
        check.call("GET", f"{here}/merge-fields/{made.get('merge_id')}")
        check.call("PATCH", f"{here}/merge-fields/{made.get('merge_id')}", {"name": "Renamed"})
        check.call("DELETE", f"{here}/merge-fields/{made.get('merge_id')}", expect=204)


def the_refusals(check: Checker, here: str) -> None:
    people = f"{here}/members"
    check.call("POST", people, {"email_address": JOE, "status": "subscribed"}, expect=400)
    check.call("POST", people, {"email_address": ANN, "status": "subscribed"}, expect=400)
    check.call("POST", people, {"email_address": "x@example.com", "status": "subscribed"}, expect=400)
    bad = {"email_address": BO, "merge_fields": {"ADDRESS": {"addr1": "1 Mill Lane"}}}
    check.call("PUT", f"{people}/{address_id(BO)}", bad, expect=400)
    check.call("GET", "/lists/0000000000", expect=404)
    token, check.token = check.token, "nonsense"
    check.call("GET", "/ping", expect=401)
    check.token = token


def the_webhooks(check: Checker, here: str, hook_url: str) -> None:
    switches = {
        "events": {"subscribe": True, "unsubscribe": True},
        "sources": {"user": True, "admin": True, "api": True},
    }
    hook = check.call("POST", f"{here}/webhooks", {"url": hook_url, **switches})
    check.call("POST", f"{here}/webhooks", {"url": hook_url, **switches}, expect=400)
    check.call("GET", f"{here}/webhooks")
    check.call("GET", f"{here}/webhooks/{hook.get('id')}")
    check.call("PATCH", f"{here}/webhooks/{hook.get('id')}", {"events": {"profile": True}})
    check.call("DELETE", f"{here}/webhooks/{hook.get('id')}", expect=204)
    batch_hook = check.call("POST", "/batch-webhooks", {"url": hook_url})
    check.call("GET", "/batch-webhooks")
    check.call("PATCH", f"/batch-webhooks/{batch_hook.get('id')}", {"enabled": False})
    check.call("DELETE", f"/batch-webhooks/{batch_hook.get('id')}", expect=204)


def the_lists(check: Checker) -> None:
    made = [check.call("POST", "/lists", LIST) for _ in range(4)]
    check.call("POST", "/lists", LIST, expect=403)
    check.call("PATCH", f"/lists/{made[0].get('id')}", {**LIST, "name": "Friends"})
    check.call("DELETE", f"/lists/{made[0].get('id')}", expect=204)


def the_batches(check: Checker, here: str) -> None:
    body = json.dumps({"email_address": JOE, "status_if_new": "subscribed"})
    path = f"{here.lstrip('/')}/members/{address_id(JOE)}"
    operation = {"method": "PUT", "path": path, "operation_id": "op-1", "body": body}
    batch = check.call("POST", "/batches", {"operations": [operation]})
    for _ in range(20):
        if check.call("GET", f"/batches/{batch.get('id')}").get("status") == "finished":
            break
        time.sleep(0.05)
    check.call("GET", "/batches")
    check.call("DELETE", f"/batches/{batch.get('id')}", expect=204)


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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.contract")
    parser.add_argument("--spec", type=Path, required=True, help="the vendor's description")
    parser.add_argument("--prism", type=Path, required=True, help="folder with node_modules/@stoplight/prism-cli")
    wish = parser.parse_args()
    for what, path in (("description", wish.spec), ("Prism", wish.prism / PRISM)):
        if not path.exists():
            print(f"Contract check: {what} not present, skipped.")
            return 0
    sandbox = MailchimpSandbox(options=Options(batch_step_s=0.01))
    with running(sandbox), receiving() as hook, prism(wish.prism, wish.spec, sandbox.url) as address:
        check = Checker(address, sandbox.grant())
        drive(check, next(iter(sandbox.account().audiences)), hook)
    for violation in check.violations:
        print(violation)
    print(f"Contract check: {check.calls} calls, {len(check.violations)} violations.")
    return 1 if check.violations else 0


if __name__ == "__main__":
    sys.exit(main())
