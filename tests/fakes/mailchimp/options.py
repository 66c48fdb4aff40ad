"""Switches for what is not known for sure about the live service, and for its slow parts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def _flag(name: str) -> bool:
    return os.environ.get(f"SANDBOX_MAILCHIMP_{name}", "").lower() in ("1", "true", "yes")


@dataclass
class Options:
    """Each default is the stricter or the better documented reading."""

    # The newest vendor text has status_if_new in POST /lists/{id}; not seen live.
    refuse_bulk_status_if_new: bool = field(default_factory=lambda: _flag("REFUSE_BULK_STATUS_IF_NEW"))
    # `tags` on PUT is not in the vendor's description; ignored unless switched on.
    put_takes_tags: bool = field(default_factory=lambda: _flag("PUT_TAKES_TAGS"))
    # PATCH /lists/{id} with a lone name: the description asks for five fields.
    patch_list_needs_all: bool = True
    # null as a merge value: refused, or taken as "".
    null_clears_merge_value: bool = False
    # The host without a data centre, for OAuth tokens.
    unified_host: bool = True
    # Unsubscribed by the API may be subscribed again by the API.
    resubscribe_after_admin_unsubscribe: bool = True
    # Pauses between webhook attempts; the vendor spreads its own over up to 75 minutes.
    webhook_retries_s: list[float] = field(default_factory=lambda: [0.5, 1.0, 2.0, 4.0])
    # How long a batch rests in each state.
    batch_step_s: float = 0.1
    batch_link_s: float = 600.0
    pending_batches: int = 500
    code_life_s: float = 30.0
    # Domains whose addresses "look fake or invalid".
    fake_domains: list[str] = field(default_factory=lambda: ["example.com"])
