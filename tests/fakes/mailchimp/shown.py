"""How things look in the vendor's answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any

from tests.fakes.mailchimp.state import Audience, Member, MergeField, Segment, Webhook, iso

SHOWN_TAGS = 50


def member_shower(audience: Audience) -> Callable[[Member], dict[str, Any]]:
    """A function that shows members of this audience; made once per answer, for speed."""
    blank = {field.tag: "" for field in audience.merge_fields.values()}
    names = {segment.id: segment.name for segment in audience.segments.values()}
    list_id = audience.id

    def show(member: Member) -> dict[str, Any]:
        merge_fields = {**blank, **member.merge_fields}
        first, last = merge_fields.get("FNAME", ""), merge_fields.get("LNAME", "")
        shown = {
            "id": member.id,
            "email_address": member.email_address,
            "unique_email_id": member.unique_email_id,
            "contact_id": member.contact_id,
            "full_name": f"{first} {last}".strip(),
            "web_id": member.web_id,
            "email_type": member.email_type,
            "status": member.status,
            "consents_to_one_to_one_messaging": True,
            "merge_fields": merge_fields,
            "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
            "ip_signup": member.ip_signup,
            "timestamp_signup": iso(member.timestamp_signup),
            "ip_opt": member.ip_opt,
            "timestamp_opt": iso(member.timestamp_opt),
            "member_rating": 2,
            "last_changed": iso(member.last_changed),
            "language": member.language,
            "vip": member.vip,
            "email_client": "",
            "location": {
                "latitude": member.latitude,
                "longitude": member.longitude,
                "gmtoff": 0,
                "dstoff": 0,
                "country_code": "",
                "timezone": "",
                "region": "",
            },
            "source": member.source,
            "tags_count": len(member.tags),
            "tags": [{"id": tag, "name": names[tag]} for tag in islice(member.tags, SHOWN_TAGS)],
            "list_id": list_id,
        }
        if member.status == "unsubscribed":
            shown["unsubscribe_reason"] = member.unsubscribe_reason
        return shown

    return show


def show_member(audience: Audience, member: Member) -> dict[str, Any]:
    return member_shower(audience)(member)


def status_counts(audience: Audience) -> Counter[str]:
    return audience.cached("statuses", lambda: Counter(m.status for m in audience.members.values()))


def show_audience(audience: Audience, *, total_contacts: bool = False) -> dict[str, Any]:
    counts = status_counts(audience)
    stats: dict[str, Any] = {
        "member_count": counts["subscribed"],
        "unsubscribe_count": counts["unsubscribed"],
        "cleaned_count": counts["cleaned"],
        "member_count_since_send": counts["subscribed"],
        "unsubscribe_count_since_send": 0,
        "cleaned_count_since_send": 0,
        "campaign_count": 0,
        "campaign_last_sent": "",
        "merge_field_count": len(audience.merge_fields),
        "avg_sub_rate": 0,
        "avg_unsub_rate": 0,
        "target_sub_rate": 0,
        "open_rate": 0,
        "click_rate": 0,
        "last_sub_date": iso(_latest(audience, "subscribed")),
        "last_unsub_date": iso(_latest(audience, "unsubscribed")),
    }
    if total_contacts:
        stats["total_contacts"] = sum(counts.values()) - counts["archived"]
    return {
        "id": audience.id,
        "web_id": audience.web_id,
        **audience.settings,
        "date_created": iso(audience.date_created),
        "list_rating": 0,
        "subscribe_url_short": f"http://sandbox.invalid/s/{audience.id}",
        "subscribe_url_long": f"http://sandbox.invalid/subscribe?id={audience.id}",
        "beamer_address": f"{audience.id}@inbound.sandbox.invalid",
        "visibility": "prv",
        "has_welcome": False,
        "modules": [],
        "stats": stats,
    }


def _latest(audience: Audience, status: str) -> int:
    def find() -> int:
        moments = [
            m.timestamp_opt if status == "subscribed" else m.unsubscribed_at
            for m in audience.members.values()
            if m.status == status
        ]
        return max(moments, default=0)

    return int(audience.cached(("latest", status), find))


def show_merge_field(audience: Audience, field: MergeField) -> dict[str, Any]:
    return {
        "merge_id": field.merge_id,
        "tag": field.tag,
        "name": field.name,
        "type": field.type,
        "required": field.required,
        "default_value": field.default_value,
        "public": field.public,
        "display_order": field.display_order,
        "options": field.options,
        "help_text": field.help_text,
        "list_id": audience.id,
    }


def show_segment(audience: Audience, segment: Segment) -> dict[str, Any]:
    def subscribed() -> int:
        return sum(audience.by_contact[key].status == "subscribed" for key in segment.contacts)

    shown = {
        "id": segment.id,
        "name": segment.name,
        "member_count": audience.cached(("segment", segment.id), subscribed),
        "type": segment.type,
        "created_at": iso(segment.created_at),
        "updated_at": iso(segment.updated_at),
        "list_id": audience.id,
    }
    if segment.type == "saved":
        shown["options"] = segment.options
    return shown


def show_webhook(audience: Audience, hook: Webhook, *, created: bool = False) -> dict[str, Any]:
    """The signing secret is part of the answer to its creation, and never again."""
    shown: dict[str, Any] = {
        "id": hook.id,
        "url": hook.url,
        "events": hook.events,
        "sources": hook.sources,
        "list_id": audience.id,
        "signing_enabled": bool(hook.signing_secret),
    }
    if created and hook.signing_secret:
        shown["signing_secret"] = hook.signing_secret
    return shown
