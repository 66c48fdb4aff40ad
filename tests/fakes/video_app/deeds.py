"""What a person at the nonprofit does in the app (claim, send, dismiss), and what the donor does (watch, reply)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.fakes.acts import Refusal
from tests.fakes.video_app.almoner import Almoner
from tests.fakes.video_app.state import Account

if TYPE_CHECKING:
    from tests.fakes.video_app.app import VideoAppSandbox


@dataclass
class Deed:
    """One thing to do with one task."""

    sandbox: VideoAppSandbox
    account: Account
    wish: dict[str, Any]

    @property
    def almoner(self) -> Almoner:
        return self.sandbox.almoner(self.account)

    @property
    def task(self) -> str:
        return f"/tasks/{self.wish.get('task', '')}"

    def text(self, name: str, otherwise: str = "") -> str:
        return str(self.wish.get(name) or otherwise)

    def event(self) -> dict[str, Any]:
        """An id of our own, so that it is counted once, and when it happened."""
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"event_id": self.text("event_id", f"ev-{uuid.uuid4().hex[:12]}"), "at": self.text("at", at)}


def claim(deed: Deed) -> dict[str, Any]:
    assignee = deed.text("assignee")
    if not assignee:
        raise Refusal("Say who takes it.")
    return {"answer": deed.almoner.post(f"{deed.task}/claim", {"assignee": assignee})}


def send(deed: Deed) -> dict[str, Any]:
    """Record and “send” a video; nothing is mailed."""
    video = deed.text("video_id", f"vid-{uuid.uuid4().hex[:8]}")
    link = f"{deed.sandbox.url}/videos/{video}"
    answer = deed.almoner.post(f"{deed.task}/sent", deed.event() | {"video_id": video, "link": link})
    deed.account.videos.append({"id": video, "task": deed.text("task"), "link": link})
    return {"answer": answer, "video_id": video}


def watch(deed: Deed) -> dict[str, Any]:
    percent = int(deed.text("percent", "90"))
    return {"answer": deed.almoner.post(f"{deed.task}/watched", deed.event() | {"percent": percent})}


def reply(deed: Deed) -> dict[str, Any]:
    words = deed.text("text", "Thank you, what a lovely surprise!")
    return {"answer": deed.almoner.post(f"{deed.task}/replied", deed.event() | {"text": words})}


def dismiss(deed: Deed) -> dict[str, Any]:
    return {"answer": deed.almoner.post(f"{deed.task}/dismiss", {"reason": deed.text("reason", "Not this time")})}


ACTS: dict[tuple[str, str], Callable[[Deed], dict[str, Any]]] = {
    ("staff", "claim"): claim,
    ("staff", "send"): send,
    ("staff", "dismiss"): dismiss,
    ("donor", "watch"): watch,
    ("donor", "reply"): reply,
}
