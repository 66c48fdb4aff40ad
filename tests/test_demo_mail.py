"""The demo's page of sent mail: readable, with links that work, and in the demo only."""

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, get_connection
from django.http import Http404
from django.test import Client, RequestFactory

from config.demo import mail
from tests.test_settings import start


def send(folder: Path, *messages: EmailMessage) -> None:
    """As the application would, in one go."""
    backend = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(folder))
    backend.send_messages(list(messages))


def letter(to: str, text: str, subject: str = "Łukasz, welcome") -> EmailMessage:
    return EmailMessage(subject, text, "River Trust <almoner@localhost>", [to])


@pytest.fixture
def page(tmp_path: Path, settings: Any) -> Any:
    settings.MODE, settings.EMAIL_FILE_PATH = "demo", str(tmp_path)
    return lambda query="": mail.mailbox(RequestFactory().get("/demo/mail/" + query)).content.decode()


def test_sent_mail_is_readable_with_the_newest_first(tmp_path: Path, page: Any) -> None:
    assert "Nothing has been sent yet" in page()
    link = "https://almoner.test/join/x/"
    send(
        tmp_path,
        letter("ben@rivermail.test", "First\n" + "-" * 70),
        letter("cleo@rivermail.test", f"Open {link} & <go>"),
    )
    shown = page()
    assert shown.index("cleo@rivermail.test") < shown.index("ben@rivermail.test")
    assert f'<a href="{link}" rel="nofollow">' in shown
    assert "Łukasz, welcome" in shown and "&lt;go&gt;" in shown
    assert "First" not in page("?to=cleo@rivermail.test")


def test_a_message_that_is_being_written_is_left_for_the_next_look(tmp_path: Path, page: Any) -> None:
    send(tmp_path, letter("ben@rivermail.test", "Whole"))
    file = next(tmp_path.glob("*.log"))
    file.write_bytes(file.read_bytes() + b"Subject: Half\n\nHal")
    assert "Whole" in page() and "Half" not in page()


def test_outside_the_demo_there_is_no_such_page(tmp_path: Path, settings: Any, client: Client, db: None) -> None:
    assert client.get("/demo/mail/").status_code == 404
    settings.EMAIL_FILE_PATH = str(tmp_path)
    with pytest.raises(Http404):
        mail.mailbox(RequestFactory().get("/demo/mail/"))
    said = start("-c", ASK)
    assert said.stdout.strip() == "None", said.stderr


ASK = (
    "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; django.setup();"
    "from django.urls import resolve, Resolver404\n"
    "try: print(resolve('/demo/mail/'))\nexcept Resolver404: print(None)"
)
