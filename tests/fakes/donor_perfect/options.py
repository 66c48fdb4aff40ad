"""Switches for what is not known for sure about the live service, and for its damaged answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Options:
    """Each default is the stricter or the better documented reading; all can be set by control address."""

    # Answers leave "&" as it is: XML that no strict parser reads.
    bare_ampersand: bool = False
    # They leave "<" and ">" as they are as well: beyond repair for that field.
    bare_markup: bool = False
    # An apostrophe in a value comes back as a backtick.
    backtick: bool = True
    # Rows of one answer; 0 switches the silent cut off.
    most_rows: int = 500
    # How a key that nobody has is answered: "invalid_token", "login_failed", "bad_api_key", "reason", or "page" (HTML).
    unknown_key: str = "invalid_token"
    # Refusals without <error>: either part of the envelope may be missing.
    hide_errors: bool = False
    # Text given without N'…' keeps only what Windows-1252 has; with it, too, on a system that is not Unicode-enabled.
    is_unicode: bool = True
    # A comment on a donor, or with an activity code, that does not exist. Unconfirmed: stored silently.
    checks_donor: bool = False
    checks_activity: bool = False
    # What staff type in carries a time of day. Unconfirmed.
    typed_dates_have_time: bool = False
    # dpcodes.field_name of activity codes. Unconfirmed.
    activity_field: str = "ACTIVITY_CODE"
    # Gifts that a merge moves to the remaining donor are marked as modified. Unconfirmed.
    merge_marks_gifts: bool = True
