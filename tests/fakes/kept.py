"""A sandbox whose accounts are written down, and go on after a restart where they were."""

from __future__ import annotations

import copy
import dataclasses
import threading
from pathlib import Path
from typing import Any, Generic, TypeVar

from tests.fakes.sandbox import Sandbox

Account = TypeVar("Account")


class KeptSandbox(Sandbox, Generic[Account]):
    """Accounts by login, and which of them changed since they were last written."""

    def __init__(
        self, options: Any, *, state_dir: Path | str | None = None, latency_ms: float = 0.0, connections: int = 10
    ) -> None:
        super().__init__(state_dir=state_dir, latency_ms=latency_ms, connections=connections)
        self.options, self.first_options = options, copy.deepcopy(options)
        self.accounts: dict[str, Account] = {}
        self.unsaved: set[str] = set()
        self.unsaved_lock = threading.Lock()

    # -- what a vendor fills in ---------------------------------------------------------------

    def seeded(self) -> dict[str, Account]:
        """The accounts at the start."""
        raise NotImplementedError

    def written(self, account: Account) -> dict[str, Any]:
        """An account as JSON."""
        raise NotImplementedError

    def read(self, data: dict[str, Any]) -> Account:
        """An account from the JSON that ``written`` made."""
        raise NotImplementedError

    def reindex(self) -> None:
        """Find accounts by secret again."""
        raise NotImplementedError

    def take_extra(self, kept: dict[str, Any]) -> None:
        """Read what was written besides accounts, and take it out."""

    # -- life ---------------------------------------------------------------------------------

    def load(self) -> None:
        """What was written before, or the seed."""
        kept = self.saver.load() if self.saver else {}
        self.take_extra(kept)
        if kept:
            in_order = sorted(kept, key=lambda name: kept[name].get("position", 0))
            self.accounts = {name: self.read(kept[name]) for name in in_order}
            self.reindex()
        else:
            self.reset()

    def reset(self) -> None:
        for option in dataclasses.fields(self.options):
            setattr(self.options, option.name, copy.deepcopy(getattr(self.first_options, option.name)))
        self.accounts = self.seeded()
        self.reindex()
        with self.unsaved_lock:
            self.unsaved |= set(self.accounts)

    def account(self, login: str = "river") -> Account:
        return self.accounts[login]

    def account_changed(self, who: Any) -> None:
        if self.saver:
            with self.unsaved_lock:
                self.unsaved.add(who.login)
            self.changed()

    def snapshot(self) -> dict[str, Any]:
        with self.unsaved_lock:
            unsaved, self.unsaved = self.unsaved, set()
        order = list(self.accounts)
        return {login: self.written(self.accounts[login]) | {"position": order.index(login)} for login in unsaved}
