"""State is kept over a restart, and the command starts and stops cleanly."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.fakes import MailchimpSandbox, running
from tests.fakes_tests.api import ANN, JOE, Api, md5
from tests.fakes_tests.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]


def test_a_restart_goes_on_where_it_was(tmp_path: Path, receiver: Receiver) -> None:
    with running(MailchimpSandbox(state_dir=tmp_path)) as sandbox:
        api = Api(sandbox)
        token = sandbox.grant()
        api.add(JOE, merge_fields={"FNAME": "Joe"}, tags=["A"])
        api.add(ANN, "left")
        api.add("gone@rivermail.test")
        api.post(api.member("gone@rivermail.test") + "/actions/delete-permanent")
        api.post(f"{api.list}/webhooks", {"url": receiver.url, "events": {"unsubscribe": True}})
        before = api.control("state")
    with running(MailchimpSandbox(state_dir=tmp_path)) as sandbox:
        api = Api(sandbox)
        assert api.control("state") == before
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.get(api.base + api.member(JOE), headers=headers, timeout=20).json()["tags"][0]["name"] == "A"
        assert api.put(api.member(ANN), {"status": "subscribed"}).status_code == 400
        again = {"email_address": "gone@rivermail.test", "status": "subscribed"}
        assert api.post(api.members, again).json()["title"] == "Forgotten Email Not Subscribed"
        assert api.add("new@rivermail.test")["contact_id"] not in str(before)


def test_a_change_is_written_within_a_second(tmp_path: Path) -> None:
    with running(MailchimpSandbox(state_dir=tmp_path)) as sandbox:
        Api(sandbox).add(JOE)
        time.sleep(1)
        kept = json.loads((tmp_path / "mailchimp" / "river.json").read_text("utf-8"))
        assert md5(JOE) in str(kept)
        assert not list(tmp_path.rglob("*.tmp"))


def test_without_a_folder_nothing_is_written(api: Api) -> None:
    api.add(JOE)
    assert api.sandbox.saver is None


def test_the_command_says_when_it_is_ready_and_ends_cleanly(tmp_path: Path) -> None:
    ports = [
        "--mailchimp-port",
        "0",
        "--constant-contact-port",
        "0",
        "--donor-perfect-port",
        "0",
        "--video-app-port",
        "0",
    ]
    arguments = [*ports, "--state", str(tmp_path), "--mailchimp-redirect", "http://127.0.0.1:1/cb"]
    command = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert command.stdout
        line = command.stdout.readline()
        found = re.search(r"ready: mailchimp (http://\S+)", line)
        assert found, line
        assert requests.get(f"{found[1]}/_sandbox/health", timeout=20).json()["ready"] is True
        asked = "response_type=code&client_id=almoner-sandbox&redirect_uri=http://127.0.0.1:1/cb"
        assert requests.get(f"{found[1]}/oauth2/authorize?{asked}", timeout=20).status_code == 200
        other = re.search(r"constant_contact (http://\S+)", line)
        assert other and requests.get(f"{other[1]}/_sandbox/health", timeout=20).json()["vendor"] == "constant_contact"
        third = re.search(r"donor_perfect (http://\S+)", line)
        assert third and requests.get(f"{third[1]}/_sandbox/health", timeout=20).json()["vendor"] == "donor_perfect"
        command.send_signal(signal.SIGTERM)
        out, err = command.communicate(timeout=20)
    finally:
        command.kill()
    assert (command.returncode, out, err) == (0, "", "")
    assert (tmp_path / "mailchimp" / "river.json").exists()
    assert (tmp_path / "constant_contact" / "river.json").exists()
    assert (tmp_path / "donor_perfect" / "river.json").exists()
