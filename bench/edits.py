"""Somebody at the admin: logs in, opens a contact's form, changes the name, presses Save, and waits for the vendor."""

import random
import time
from html.parser import HTMLParser
from typing import Any

import requests

from bench import LOGIN, PASSWORD
from bench.parts import PATIENCE, Parts, wait_for

LOOK_EVERY = 0.01  # seconds between two looks at what the vendor was sent


def edit_by_edit(parts: Parts, count: int) -> list[float]:
    """The seconds from pressing Save to the vendor's answer, edit by edit, with pauses of a random length."""
    start_web_and_worker(parts)
    contacts = random.sample(parts.step("contacts"), count)
    with requests.Session() as browser:
        submit(browser, parts.web + "/admin/login/", {"username": LOGIN, "password": PASSWORD})
        return [one_edit(parts, browser, pk) for pk in contacts]


def start_web_and_worker(parts: Parts) -> None:
    """As in real life; the worker is ready once it has done its first sweep."""
    parts.run(
        "-m", "gunicorn", "-k", "gthread", "--threads", "8", "-b", parts.web.removeprefix("http://"), "config.wsgi"
    )
    parts.run("manage.py", "worker")
    wait_for(parts.web + "/admin/login/")
    until = time.monotonic() + PATIENCE
    while not parts.step("has_swept"):
        if time.monotonic() > until:
            raise TimeoutError("The worker does not start:\n" + (parts.folder / "processes.log").read_text()[-2000:])


def one_edit(parts: Parts, browser: requests.Session, pk: int, account: str = "") -> float:
    """Change one name. The clock starts when Save is pressed; the vendor notes when it has answered. With an `account`,
    the calls of others are passed over."""
    address = f"{parts.web}/admin/contacts/contact/{pk}/change/"
    fields = form_at(browser, address) | {"last_name": f"Edited {pk}"}
    time.sleep(random.uniform(0, 0.5))  # so that we do not fall in step with anybody's polling
    before = len(parts.control("calls"))
    pressed = time.time()
    send(browser, address, fields)
    while True:
        for call in parts.control(f"calls?since={before}"):
            if call["method"] != "GET" and call["status"] == 200 and account in ("", call["account"]):
                return float(call["at"]) - pressed
        if time.time() - pressed > PATIENCE:
            raise TimeoutError(f"The edit of contact {pk} did not arrive within {PATIENCE:.0f} seconds.")
        time.sleep(LOOK_EVERY)


def submit(browser: requests.Session, address: str, values: dict[str, str]) -> None:
    """Open a form, fill these in and send it."""
    send(browser, address, form_at(browser, address) | values)


def send(browser: requests.Session, address: str, fields: dict[str, Any]) -> None:
    """Press the button. A form that was not accepted comes back instead of leading on."""
    answer = browser.post(address, fields, headers={"Referer": address}, allow_redirects=False)
    if answer.status_code != 302:
        raise RuntimeError(f"{address} did not accept the form ({answer.status_code}).")


def form_at(browser: requests.Session, address: str) -> dict[str, Any]:
    """What a browser would send back of the page's main form if nothing was changed."""
    answer = browser.get(address)
    answer.raise_for_status()
    reader = FormReader()
    reader.feed(answer.text)
    return max(reader.forms, key=len)


class FormReader(HTMLParser):
    """Reads the forms of a page: {name: value or values} of each."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.field = ""  # the select or textarea that is being read

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.forms.append({})
        elif not self.forms or "disabled" in given:
            return
        elif tag == "input" and name and given.get("type") not in ("submit", "button", "image", "file", "reset"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self.forms[-1].setdefault(name, []).append(value or "on" if "checked" in given else value)
        elif tag in ("select", "textarea"):
            self.field = name
            self.forms[-1].setdefault(name, [])
        elif tag == "option" and self.field and "selected" in given:
            self.forms[-1][self.field].append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.field = ""

    def handle_data(self, data: str) -> None:
        if self.field and self.lasttag == "textarea":
            self.forms[-1][self.field].append(data.removeprefix("\n"))
