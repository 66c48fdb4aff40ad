"""What the app holds for one organization: its key, the webhook's secret, the messages that came, the videos."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

NAMES = {"river": "River Trust", "harbor": "Harbor Food Bank"}
MOST = 200  # messages that are kept


@dataclass
class Options:
    """Nothing about this app can be switched."""


@dataclass
class Account:
    """One organization's account at the video app."""

    login: str
    key: str = ""
    hook_secret: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)  # webhooks, the newest last
    videos: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def name(self) -> str:
        return NAMES.get(self.login, self.login)

    def took(self, message: dict[str, Any]) -> None:
        """Keep a message; one that came before is marked as a repetition."""
        known = {each["id"] for each in self.messages}
        self.messages.append(message | {"is_repeated": message["id"] in known})
        del self.messages[:-MOST]

    def shown(self) -> dict[str, Any]:
        """As JSON, without the key and the secret."""
        return {"name": self.name, "has_key": bool(self.key), "messages": self.messages, "videos": self.videos}
