"""Switches for what is not known for sure about the live service, and for its slow parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Options:
    """Each default is the stricter or the better documented reading; all can be set by control address."""

    # Calls of one application over all its accounts; 0 switches a limit off.
    per_second: int = 4
    per_day: int = 10_000
    # The second is a sliding one: any stretch of this length. The vendor does not say.
    window_s: float = 1.0
    # "rotating" or "long-lived": how the app is set up at the vendor.
    refresh_mode: str = "rotating"
    # A spent refresh token used again also kills its successor. Not documented.
    reuse_kills_grant: bool = False
    access_life_s: float = 86_400.0
    refresh_life_s: float = 180 * 86_400.0
    code_life_s: float = 300.0
    # The application as a whole is switched off by the vendor: the third cause of 403.
    application_deactivated: bool = False
    # How long a bulk activity rests as "initialized" and again as "processing".
    activity_step_s: float = 0.1
    # How activities end that end now: completed, failed, cancelled, or timed_out (half of the rows done).
    activity_end: str = "completed"
    queued_activities: int = 1_000
    # One source shows objects instead of strings in activity_errors.
    activity_errors_as_objects: bool = False
    # Whether add_list_memberships puts people on lists who unsubscribed. Not documented; expected: no.
    add_takes_unsubscribed: bool = False
    # list_memberships of a PUT are added to the old ones instead of replacing them. Implied: replaced.
    put_merges_lists: bool = False
    # An opt-out takes the person off all lists. Not documented.
    opt_out_clears_lists: bool = False
    # DELETE of a contact moves its updated_at. Not documented; the trap is that it does not.
    delete_moves_updated_at: bool = False
    # Going on or off a list moves the contact's updated_at. Not documented.
    lists_move_updated_at: bool = True
    # optout_after is in the vendor's description, and doubted by its support staff: False ignores it.
    optout_filter_works: bool = True
    # Between PUT …/resubscribe and the click the permission reads pending_confirmation, else still unsubscribed.
    resubscribe_shows_pending: bool = True
    # Answers to POST and PUT of a contact show all sub-resources, not only what a read without `include` shows.
    writes_show_everything: bool = False
    # Keys the vendor does not know are refused.
    refuse_unknown_keys: bool = True
    # How long one sign_up_form takes; another for the same address meanwhile meets 409.
    sign_up_takes_s: float = 0.0
