"""Tags going on and off members. A tag is a static segment; both sides are kept in step here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.mailchimp.state import Account, Audience, Member, Segment


@dataclass(slots=True)
class Tagger:
    """Writes tags of one audience at one moment."""

    account: Account
    audience: Audience
    now: int
    _known: dict[str, Segment] = field(default_factory=dict, kw_only=True)

    def tag(self, member: Member, names: Any, *, replace: bool = False) -> None:
        if names is None:
            return
        wanted = {self.segment(name).id for name in names if name.strip()}
        changed = [self.put_on(member, tag) for tag in sorted(wanted)]
        if replace:
            changed += [self.take_off(member, tag) for tag in set(member.tags) - wanted]
        if any(changed):
            member.last_changed = self.now

    def segment(self, name: str) -> Segment:
        """The tag of this name, made when there is none."""
        if known := self._known.get(name):
            return known
        found = find_tag(self.audience, name) or self.new_segment(name.strip())
        self._known[name] = found
        return found

    def new_segment(self, name: str, kind: str = "static") -> Segment:
        number = self.audience.web_id * 100 + 4_000_000 + self.account.next_number()
        segment = Segment(number, name, kind, self.now, self.now)
        self.audience.segments[number] = segment
        self.audience.version += 1
        return segment

    def put_on(self, member: Member, tag: int) -> bool:
        if tag in member.tags:
            return False
        segment = self.audience.segments[tag]
        member.tags[tag] = segment.contacts[member.contact_id] = segment.updated_at = self.now
        member.last_changed = self.now
        self.audience.version += 1
        return True

    def take_off(self, member: Member, tag: int) -> bool:
        if member.tags.pop(tag, None) is None:
            return False
        segment = self.audience.segments[tag]
        segment.contacts.pop(member.contact_id, None)
        segment.updated_at = member.last_changed = self.now
        self.audience.version += 1
        return True


def find_tag(audience: Audience, name: str) -> Segment | None:
    """The tag of this name; upper and lower case are the same."""
    name = name.strip().lower()
    static = (each for each in audience.segments.values() if each.type == "static")
    return next((each for each in static if each.name.lower() == name), None)
