"""Calls that are answered at once and worked on afterwards (O9), in the order in which they came."""

import uuid
from collections.abc import Mapping
from typing import Any

from gifts.donating.caller import KEYED, Caller
from gifts.models import BackgroundCall, FundraisingPage


def later(
    verb: str, given: Mapping[str, Any], words: str, caller: Caller = KEYED,
    page: FundraisingPage | None = None, target: uuid.UUID | None = None,
) -> BackgroundCall:  # fmt: skip
    """Note a call for afterwards, in the transaction at hand; a job is rung for once that is committed.

    `verb` is one of `BackgroundCall.Verb`; `words` name the key; `target` is the uid of the donation or person. For
    the tags, `given` is {"tag": uid of the tag, "person": uid of the person}.
    """
    raise RuntimeError("On its way.")
