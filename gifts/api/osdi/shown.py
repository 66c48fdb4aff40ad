"""People, pages, donations and tags as the API shows them, from rows whose parts are loaded: twenty-five cost as many
queries as one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max, prefetch_related_objects

from contacts.mail_status import mail_statuses
from contacts.models import Contact, ContactTag, HistoryEntry, Tag
from gifts.api.osdi import hal
from gifts.donating.pages import figures_of
from gifts.models import Donation, FundraisingPage

OURS = "action_network:"  # the prefix by which every client looks for the id
AT_ONCE = timedelta(seconds=2)  # what is written together with something new counts as its making, and not as a change


def identifiers(uid: Any, others: Sequence[str] = ()) -> list[str]:
    """Ours first: clients take the first that they know."""
    return [f"{OURS}{uid}", *others]


# --- people ---

PERSON_PARTS = (
    "email_addresses", "phone_numbers", "postal_addresses", "languages", "outside_identifiers", "custom_values__field",
)  # fmt: skip


def people(rows: Sequence[Contact]) -> list[dict[str, Any]]:
    """These people, with everything that hangs on them."""
    prefetch_related_objects(list(rows), *PERSON_PARTS)
    changed, mail = changed_at(rows), mail_statuses(rows)
    return [person(row, changed[row.pk], mail.get(row.pk, "")) for row in rows]


def changed_at(rows: Sequence[Contact]) -> dict[int, datetime]:
    """{contact: when anything of them was last changed}, as their histories have it. One query."""
    entries = HistoryEntry.objects.filter(contact_uid__in=[row.uid for row in rows]).order_by().values("contact_uid")
    last = {one["contact_uid"]: one["last"] for one in entries.annotate(last=Max("at"))}
    found = {}
    for row in rows:
        found[row.pk] = modified(row.created_at, max(row.updated_at, last.get(row.uid, row.updated_at)))
    return found


def modified(created: datetime, changed: datetime) -> datetime:
    """The time of the last change. Of what is new it is that of its making: clients tell by it what was added."""
    return created if created <= changed < created + AT_ONCE else changed


def person(row: Any, changed: datetime, mail: str) -> dict[str, Any]:
    """One of them; `mail` is the status of their email. Their first address is the primary one."""
    path = f"/people/{row.uid}"
    others = [f"{one.system}:{one.value}" for one in row.outside_identifiers.all() if ":" not in one.system]
    return {
        "identifiers": identifiers(row.uid, others),
        "created_date": hal.at(row.created_at),
        "modified_date": hal.at(changed),
        "given_name": row.first_name,
        "family_name": row.last_name,
        "languages_spoken": [one.code for one in row.languages.all()],
        "email_addresses": [
            {"primary": True, "address": one.address, "status": mail} for one in row.email_addresses.all()[:1]
        ],
        "phone_numbers": [phone(one, row.do_not_contact) for one in row.phone_numbers.all()],
        "postal_addresses": [postal(one) for one in row.postal_addresses.all()],
        "custom_fields": {one.field.name: one.value for one in row.custom_values.all() if one.field.going_at is None},
        "_links": hal.links(
            self=hal.link(path), osdi__donations=hal.link(f"{path}/donations"),
            osdi__taggings=hal.link(f"{path}/taggings"),
        ),
    }  # fmt: skip


def phone(row: Any, is_stopped: bool) -> dict[str, Any]:
    """A number as digits with the country's code. Whoever is under Do Not Contact gets no text messages either."""
    return {
        "primary": row.is_primary, "number": digits(str(row.number)), "number_type": row.label.capitalize() or "Mobile",
        "status": "subscribed" if row.takes_texts and not is_stopped else "unsubscribed",
    }  # fmt: skip


def digits(number: str) -> str:
    """Without the plus."""
    return "".join(sign for sign in number if sign.isdigit())


def postal(row: Any) -> dict[str, Any]:
    """A postal address."""
    return {
        "primary": row.is_primary, "address_lines": [line for line in row.street.splitlines() if line.strip()],
        "locality": row.city, "region": row.state, "postal_code": row.postal_code, "country": row.country,
    }  # fmt: skip


# --- fundraising pages ---


def pages(rows: Sequence[FundraisingPage]) -> list[dict[str, Any]]:
    """These pages with what they have brought in."""
    prefetch_related_objects(list(rows), "identifiers")
    figures = figures_of(rows)
    return [page(row, *figures.get(row.pk, (0, Decimal(0)))) for row in rows]


def page(row: Any, number: int, total: Decimal) -> dict[str, Any]:
    """One of them."""
    path = f"/fundraising_pages/{row.uid}"
    donations = hal.link(f"{path}/donations")
    # Only a page that a program made takes donations of programs.
    helper = {"osdi__record_donation_helper": donations} if row.made_by_api else {}
    return {
        "identifiers": identifiers(row.uid, [one.text for one in row.identifiers.all()]),
        "created_date": hal.at(row.created_at),
        "modified_date": hal.at(modified(row.created_at, row.updated_at)),
        "name": row.name,
        "title": row.title,
        "summary": row.summary,
        "description": row.description,
        "origin_system": row.origin_system,
        "browser_url": row.browser_url,
        "featured_image_url": row.featured_image_url,
        "currency": row.tenant.currency,
        "total_donations": number,
        "total_amount": f"{total:.2f}",
        "action_network:hidden": row.is_hidden,
        "action_network:sponsor": {"title": row.tenant.name},
        "_links": hal.links(self=hal.link(path), osdi__donations=donations, **helper),
    }


# --- donations ---


def donations(rows: Sequence[Donation]) -> list[dict[str, Any]]:
    """These donations; their page, gift and donor are loaded."""
    prefetch_related_objects(list(rows), "identifiers", "page", "gift__contact")
    return [donation(row) for row in rows]


def donation(row: Any) -> dict[str, Any]:
    """One of them (O12, O13)."""
    page, person = row.page.uid, row.gift.contact.uid
    recurrence = {"recurring": row.is_recurring} | ({"period": row.period} if row.is_recurring and row.period else {})
    return {
        "identifiers": identifiers(row.uid, [one.text for one in row.identifiers.all()]),
        "created_date": hal.at(row.given_at),
        "modified_date": hal.at(modified(row.given_at, row.updated_at)),
        "currency": row.currency,
        "amount": f"{row.amount:.2f}",
        "recipients": [{"display_name": one["display_name"], "amount": one["amount"]} for one in row.recipients],
        "payment": {"method": "Credit Card", "reference_number": str(row.uid), "authorization_stored": False},
        "action_network:recurrence": recurrence,
        "action_network:referrer_data": {
            name: value
            for name, value in (
                ("source", row.source_code), ("website", row.website), ("email_referrer", row.email_referrer),
                ("mobile_message_referrer", row.mobile_message_referrer),
            )
            if value
        },
        "action_network:person_id": str(person),
        "action_network:fundraising_page_id": str(page),
        "_links": hal.links(
            self=hal.link(f"/fundraising_pages/{page}/donations/{row.uid}"),
            osdi__fundraising_page=hal.link(f"/fundraising_pages/{page}"),
            osdi__person=hal.link(f"/people/{person}"),
        ),
    }  # fmt: skip


# --- tags ---


def tags(rows: Sequence[Tag]) -> list[dict[str, Any]]:
    """These tags."""
    return [
        {
            "identifiers": identifiers(row.uid), "name": row.name,
            "created_date": hal.at(row.created_at), "modified_date": hal.at(row.created_at),
            "_links": hal.links(
                self=hal.link(f"/tags/{row.uid}"), osdi__taggings=hal.link(f"/tags/{row.uid}/taggings")
            ),
        }
        for row in rows
    ]  # fmt: skip


def taggings(rows: Sequence[ContactTag]) -> list[dict[str, Any]]:
    """Who has which tag; tag and contact are loaded."""
    return [
        {
            "identifiers": identifiers(row.uid), "item_type": "osdi:person",
            "created_date": hal.at(row.created_at), "modified_date": hal.at(row.created_at),
            "_links": hal.links(
                self=hal.link(f"/tags/{row.tag.uid}/taggings/{row.uid}"), osdi__tag=hal.link(f"/tags/{row.tag.uid}"),
                osdi__person=hal.link(f"/people/{row.contact.uid}"),
            ),
        }
        for row in rows
    ]  # fmt: skip
