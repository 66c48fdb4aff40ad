"""Doing what people and account holders do in the vendor's own pages, for scripts and for the pages' buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Refusal(Exception):
    """The vendor says no; `sentence` is for people."""

    @property
    def sentence(self) -> str:
        return str(self)


def perform(
    sandbox: Any,
    acts: Mapping[tuple[str, str], Callable[[Any], dict[str, Any] | None]],
    make: Callable[[Any, Any, dict[str, Any]], Any],
    wish: dict[str, Any],
) -> dict[str, Any]:
    """Do one act; ValueError tells a script what it got wrong."""
    if (handler := acts.get((str(wish.get("as")), str(wish.get("action"))))) is None:
        raise ValueError(f"No such act. Known: {', '.join(f'{role}/{action}' for role, action in acts)}")
    if (account := sandbox.accounts.get(str(wish.get("account")))) is None:
        raise ValueError(f"No such account. Known: {', '.join(sandbox.accounts)}")
    with account.lock:
        try:
            result = handler(make(sandbox, account, wish)) or {}
        except Refusal as refusal:
            raise ValueError(refusal.sentence) from None
    sandbox.account_changed(account)
    return result
