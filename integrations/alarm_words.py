"""Alarms in plain words (L36): what each means, what helps, and how it is over. Pages and mail share them.

`{service}` stands for the service's name. Nobody's contacts are named.
"""

from dataclasses import dataclass
from datetime import datetime

from integrations.words import some


@dataclass(frozen=True, slots=True)
class AlarmWords:
    """One kind of alarm: its name, what can be done, how a number of such services needs people, and its end."""

    title: str
    remedy: str
    need: str  # follows “1 service”
    over: str


ALARMS: dict[str, AlarmWords] = {
    "reconnect": AlarmWords(
        "{service} has to be connected again",
        "An owner or manager opens Integrations and presses Reconnect. Nothing is lost: changes made meanwhile are "
        "kept, and go out as soon as somebody has reconnected.",
        "has to be reconnected: {service}",
        "{service} is connected again.",
    ),
    "sending": AlarmWords(
        "Changes do not reach {service}",
        "Almoner goes on trying by itself, and nothing is lost. If it lasts, see at {service} whether your account is "
        "in order and whether {service} itself reports trouble.",
        "takes no changes at the moment: {service}",
        "Changes reach {service} again.",
    ),
    "limit": AlarmWords(
        "Almoner has no calls to {service} left for now",
        "Nothing to do: what waits goes out by itself once there are calls again. Nothing is lost.",
        "has to wait until there are calls again: {service}",
        "There are calls to {service} again.",
    ),
    "opt_outs": AlarmWords(
        "Who unsubscribed at {service} is not known here",
        "Almoner goes on asking by itself. Until it has, people who unsubscribed at {service} look subscribed here. "
        "If it lasts, see at {service} whether your account is in order, or tell whoever runs Almoner for you.",
        "could not be asked for hours who unsubscribed: {service}",
        "Who unsubscribed at {service} is read again.",
    ),
    "gifts": AlarmWords(
        "New gifts at {service} are not known here",
        "Almoner goes on asking by itself, and none is missed: they come in as soon as {service} answers. If it lasts, "
        "see at {service} whether your account is in order, or tell whoever runs Almoner for you.",
        "could not be asked for hours for new gifts: {service}",
        "New gifts at {service} are looked for again.",
    ),
    "webhooks": AlarmWords(
        "{service} does not tell Almoner at once when somebody unsubscribes",
        "Almoner asks every hour all the same. Open Integrations and press Try again; if that does not help, tell "
        "whoever runs Almoner for you.",
        "does not tell at once who unsubscribed: {service}",
        "{service} tells Almoner at once again when somebody unsubscribes.",
    ),
}
ASLEEP = (
    "Almoner’s background work has stood still for {duration}. Nothing goes out and nothing comes in until it runs "
    "again; nothing is lost. Tell whoever runs Almoner for you: the worker has to be started."
)


def clock(moment: datetime, now: datetime) -> str:
    """A time as people read it, with the day unless it is today's; both in the zone of whoever reads."""
    there = moment.astimezone(now.tzinfo)
    return f"{there:%H:%M}" if there.date() == now.date() else f"{there:%B} {there.day}, {there:%H:%M}"


def queue(waiting: int, since: datetime | None, now: datetime) -> str:
    """What waits since when: “12 changes wait to go out, the oldest since 14:05.”"""
    if not waiting or since is None:
        return "Nothing waits to go out."
    changes = some(waiting, "change waits", "changes wait")
    return f"{changes} to go out, {'the oldest ' if waiting > 1 else ''}since {clock(since, now)}."
