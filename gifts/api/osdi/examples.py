"""Examples of what is sent and answered, and how the API works, in words; the document and its page show them."""

from typing import Any

from gifts.api.osdi import hal

HOW = """Send `OSDI-API-Token: <key>` with every call. An owner makes keys under Organization → API keys.

Make a fundraising page once, and post each donation to it: one call finds or adds the person, tags them and records the
donation. Answers are HAL (`application/hal+json`); follow the addresses in `_links`.

Amounts are texts. Lists come in pages of 25: read on until `_embedded` is empty, or follow `next` until there is none.
`?filter=email_address eq 'jsmith@mail.com'` compares with `eq`, `gt` and `lt`, several joined by `and`.

With `?background_request=true` the answer is `{}` at once, and the work is done afterwards. What goes wrong is
`{"error": "a sentence"}`. When no answer came, send the same again with the same `Idempotency-Key`.

A form on a website posts donations without any key, and is answered `{}`."""

ID, PERSON, PAGE = (
    "38ec0365-f996-42a0-b26a-dbed24cf927f", "17be9a36-bb9a-4f68-94a8-40523b9dab27",
    "f77e736b-d295-4e68-96ec-a765090c6523",
)  # fmt: skip
TAG, TAGGING = "71f8feef-61c8-4e6b-9745-ec1d7752f298", "82e909f9-1ac7-4952-bbd4-b4690a14bec2"
AT = {"created_date": "2026-05-01T12:00:00Z", "modified_date": "2026-05-01T12:00:00Z"}
RECIPIENTS = [{"display_name": "Campaign To Elect Tom", "amount": "3.00"}]


def head(uid: str) -> dict[str, Any]:
    """What every resource begins with."""
    return {"identifiers": [f"action_network:{uid}"], **AT}


def linked(**paths: str) -> dict[str, Any]:
    """`_links`."""
    return hal.links(**{rel: hal.link(path) for rel, path in paths.items()})


def page_of(rel: str, path: str, row: dict[str, Any], tells_totals: bool = True) -> dict[str, Any]:
    """A collection of one."""
    totals = {"total_pages": 1, "total_records": 1} if tells_totals else {}
    return hal.collection(rel, [row], totals | {"page": 1, "per_page": 25}, hal.href(path), "")


def examples() -> dict[str, dict[str, Any]]:
    """{operationId: {request, answer}}; addresses are those of this installation."""
    sent_person = {
        "family_name": "Smith",
        "given_name": "John",
        "postal_addresses": [{"postal_code": "20009"}],
        "email_addresses": [{"address": "jsmith@mail.com"}],
        "phone_numbers": [{"number": "2021234444"}],
    }
    person = head(PERSON) | {
        "given_name": "John", "family_name": "Smith", "languages_spoken": ["en"],
        "email_addresses": [{"primary": True, "address": "jsmith@mail.com", "status": "subscribed"}],
        "phone_numbers": [{"primary": True, "number": "12021234444", "number_type": "Mobile",
                           "status": "unsubscribed"}],
        "postal_addresses": [{"primary": True, "address_lines": [], "locality": "Washington", "region": "DC",
                              "postal_code": "20009", "country": "US"}],
        "custom_fields": {},
        "_links": linked(self=f"/people/{PERSON}", osdi__donations=f"/people/{PERSON}/donations",
                         osdi__taggings=f"/people/{PERSON}/taggings"),
    }  # fmt: skip
    path = f"/fundraising_pages/{PAGE}"
    page = head(PAGE) | {
        "name": "", "title": "Save the river", "summary": "", "description": "", "origin_system": "River CRM",
        "browser_url": "", "featured_image_url": "", "currency": "USD", "total_donations": 1, "total_amount": "3.00",
        "action_network:hidden": False, "action_network:sponsor": {"title": "River Trust"},
        "_links": linked(self=path, osdi__donations=f"{path}/donations",
                         osdi__record_donation_helper=f"{path}/donations"),
    }  # fmt: skip
    donation = head(ID) | {
        "currency": "USD", "amount": "3.00", "recipients": RECIPIENTS,
        "payment": {"method": "Credit Card", "reference_number": ID, "authorization_stored": False},
        "action_network:recurrence": {"recurring": False}, "action_network:referrer_data": {"source": "newsletter"},
        "action_network:person_id": PERSON, "action_network:fundraising_page_id": PAGE,
        "_links": linked(self=f"{path}/donations/{ID}", osdi__fundraising_page=path, osdi__person=f"/people/{PERSON}"),
    }  # fmt: skip
    tag = head(TAG) | {
        "name": "donor", "_links": linked(self=f"/tags/{TAG}", osdi__taggings=f"/tags/{TAG}/taggings"),
    }  # fmt: skip
    tagging = head(TAGGING) | {
        "item_type": "osdi:person",
        "_links": linked(self=f"/tags/{TAG}/taggings/{TAGGING}", osdi__tag=f"/tags/{TAG}",
                         osdi__person=f"/people/{PERSON}"),
    }  # fmt: skip
    new_donation = {
        "recipients": RECIPIENTS, "created_date": "2026-05-01T12:00:00Z",
        "action_network:referrer_data": {"source": "newsletter"}, "person": sent_person,
        "add_tags": ["donor", "member"], "remove_tags": ["inactive"],
    }  # fmt: skip
    donations = {where: page_of("osdi:donations", where, donation) for where in (
        "/donations", f"{path}/donations", f"/people/{PERSON}/donations",
    )}  # fmt: skip
    change = {"action_network:recurrence": {"recurring": True, "period": "Monthly"}}
    return {
        "listPeople": {"answer": page_of("osdi:people", "/people", person, tells_totals=False)},
        "signUpPerson": {"request": {"person": sent_person, "add_tags": ["volunteer"]}, "answer": person},
        "readPerson": {"answer": person},
        "changePerson": {"request": {"given_name": "John"}, "answer": person},
        "listDonationsOfPerson": {"answer": donations[f"/people/{PERSON}/donations"]},
        "readDonationOfPerson": {"answer": donation},
        "changeDonationOfPerson": {"request": change, "answer": donation},
        "listTaggingsOfPerson": {"answer": page_of("osdi:taggings", f"/people/{PERSON}/taggings", tagging)},
        "listPages": {"answer": page_of("osdi:fundraising_pages", "/fundraising_pages", page)},
        "makePage": {"request": {"title": "Save the river", "origin_system": "River CRM"}, "answer": page},
        "readPage": {"answer": page},
        "changePage": {"request": {"summary": "For clean water"}, "answer": page | {"summary": "For clean water"}},
        "listDonationsOfPage": {"answer": donations[f"{path}/donations"]},
        "recordDonation": {"request": new_donation, "answer": donation},
        "readDonationOfPage": {"answer": donation},
        "changeDonationOfPage": {"request": change, "answer": donation},
        "listDonations": {"answer": donations["/donations"]},
        "readDonation": {"answer": donation},
        "changeDonation": {"request": change, "answer": donation},
        "listTags": {"answer": page_of("osdi:tags", "/tags", tag)},
        "makeTag": {"request": {"name": "donor"}, "answer": tag},
        "readTag": {"answer": tag},
        "listTaggings": {"answer": page_of("osdi:taggings", f"/tags/{TAG}/taggings", tagging)},
        "tagPerson": {
            "request": {"_links": {"osdi:person": {"href": hal.href(f"/people/{PERSON}")}}}, "answer": tagging,
        },
        "readTagging": {"answer": tagging},
        "deleteTagging": {"answer": {"notice": "This tagging was successfully deleted."}},
    }  # fmt: skip
