"""The demo's mailbox: every message that would have gone out, on one page for everybody; not in production."""

import email
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

BETWEEN = b"-" * 79 + b"\n"  # what Django's file backend writes after each message
MOST = 200


@dataclass(frozen=True)
class Letter:
    """One message as a person reads it."""

    at: datetime | None
    sender: str
    to: str
    subject: str
    text: str


def addresses() -> list[URLPattern]:
    """The page, in the demo only."""
    return [path("demo/mail/", mailbox, name="demo-mail")] if settings.MODE == "demo" else []


def mailbox(request: HttpRequest) -> HttpResponse:
    """The newest first; with `?to=` those to one address."""
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    if settings.MODE != "demo" or not folder:
        raise Http404
    wanted = request.GET.get("to", "").strip().lower()
    letters = [letter for letter in read(Path(folder)) if wanted in letter.to.lower()]
    return render(request, "demo/mail.html", {"letters": letters[:MOST], "count": len(letters), "to": wanted})


def read(folder: Path) -> list[Letter]:
    """All messages of the folder, the newest first."""
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return [letter for file in files for letter in reversed(parse(file.read_bytes()))]


def parse(content: bytes) -> list[Letter]:
    """The messages of one file; one that is being written just now comes with the next look."""
    *whole, _unfinished = content.split(BETWEEN)
    return [as_letter(email.message_from_bytes(part, policy=default)) for part in whole]


def as_letter(message: EmailMessage) -> Letter:
    """What a mail program would show."""
    body = message.get_body(("plain", "html"))
    date = message["Date"]
    return Letter(
        at=parsedate_to_datetime(str(date)) if date else None, sender=str(message["From"] or ""),
        to=str(message["To"] or ""), subject=str(message["Subject"] or ""),
        text=str(body.get_content()).strip() if body else "",
    )  # fmt: skip
