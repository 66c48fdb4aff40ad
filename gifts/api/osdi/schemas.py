"""Schemas of what OSDI sends and answers, for the document of the API."""

from typing import Any

from gifts.models import Period

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer"}
MONEY: Schema = {"type": "string", "pattern": r"^[0-9]+\.[0-9][0-9]$"}
UID: Schema = {"type": "string", "format": "uuid"}
LINK: Schema = {"type": "object", "properties": {"href": {"type": "string", "format": "uri"}, "title": TEXT},
                "required": ["href"]}  # fmt: skip
CURIE: Schema = {"type": "object", "properties": {"name": TEXT, "href": TEXT, "templated": FLAG},
                 "required": ["name", "href", "templated"]}  # fmt: skip
STATUSES = ["subscribed", "unsubscribed", "bouncing", "spam complaint"]


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(schema: Schema) -> Schema:
    """A list of them."""
    return {"type": "array", "items": schema}


def about(schema: Schema, words: str) -> Schema:
    """With a word on it."""
    return schema | {"description": words}


def thing(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    """What is answered: all of them but the optional ones are always there."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def sent(properties: Schema, needed: tuple[str, ...] = ()) -> Schema:
    """What may be sent; members that we do not know are passed over."""
    return {"type": "object", "properties": properties} | ({"required": list(needed)} if needed else {})


def links(*rels: str) -> Schema:
    """`_links` with these."""
    return thing(dict.fromkeys(rels, LINK) | {"curies": many(CURIE)})


def collection(rel: str, name: str, tells_totals: bool = True) -> Schema:
    """A page of resources."""
    totals = {"total_pages": NUMBER, "total_records": NUMBER} if tells_totals else {}
    around = {"self": LINK, "next": LINK, rel: many(LINK), "curies": many(CURIE)}
    return thing(totals | {
        "page": NUMBER, "per_page": NUMBER, "_links": thing(around, ("next",)),
        "_embedded": thing({rel: many(ref(name))}),
    })  # fmt: skip


HEAD: Schema = {"identifiers": many(TEXT), "created_date": TIME, "modified_date": TIME}
RECURRENCE: Schema = {"recurring": FLAG, "period": {"type": "string", "enum": list(Period.values)}}
REFERRER: Schema = {"source": TEXT, "website": TEXT, "email_referrer": TEXT, "mobile_message_referrer": TEXT}
ANSWERS: dict[str, Schema] = {
    "EntryPoint": thing({
        "motd": TEXT, "max_page_size": NUMBER, "vendor_name": TEXT, "product_name": TEXT, "osdi_version": TEXT,
        "namespace": TEXT,
        "_links": about({"type": "object", "required": ["self", "curies"]}, "`osdi:tags` is there if the key works."),
    }),
    "Person": thing(HEAD | {
        "given_name": TEXT, "family_name": TEXT, "languages_spoken": many(TEXT),
        "email_addresses": many(thing({"primary": FLAG, "address": TEXT,
                                       "status": {"type": "string", "enum": STATUSES}})),
        "phone_numbers": many(thing({"primary": FLAG, "number": TEXT, "number_type": TEXT,
                                     "status": {"type": "string", "enum": STATUSES[:2]}})),
        "postal_addresses": many(thing({
            "primary": FLAG, "address_lines": many(TEXT), "locality": TEXT, "region": TEXT, "postal_code": TEXT,
            "country": TEXT,
        })),
        "custom_fields": {"type": "object", "additionalProperties": TEXT},
        "_links": links("self", "osdi:donations", "osdi:taggings"),
    }),
    "FundraisingPage": thing(HEAD | {
        "name": TEXT, "title": TEXT, "summary": TEXT, "description": TEXT, "origin_system": TEXT, "browser_url": TEXT,
        "featured_image_url": TEXT, "currency": TEXT, "total_donations": NUMBER, "total_amount": MONEY,
        "action_network:hidden": FLAG, "action_network:sponsor": thing({"title": TEXT}),
        "_links": thing({"self": LINK, "osdi:donations": LINK, "osdi:record_donation_helper": about(
            LINK, "Only of pages that take donations from programs."), "curies": many(CURIE)},
            ("osdi:record_donation_helper",)),
    }),
    "Donation": thing(HEAD | {
        "currency": TEXT, "amount": MONEY, "recipients": many(thing({"display_name": TEXT, "amount": MONEY})),
        "payment": thing({"method": TEXT, "reference_number": TEXT, "authorization_stored": FLAG}),
        "action_network:recurrence": thing(RECURRENCE, ("period",)),
        "action_network:referrer_data": thing(REFERRER, tuple(REFERRER)),
        "action_network:person_id": UID, "action_network:fundraising_page_id": UID,
        "_links": links("self", "osdi:fundraising_page", "osdi:person"),
    }),
    "Tag": thing(HEAD | {"name": TEXT, "_links": links("self", "osdi:taggings")}),
    "Tagging": thing(HEAD | {"item_type": TEXT, "_links": links("self", "osdi:tag", "osdi:person")}),
    "People": collection("osdi:people", "Person", tells_totals=False),
    "FundraisingPages": collection("osdi:fundraising_pages", "FundraisingPage"),
    "Donations": collection("osdi:donations", "Donation"),
    "Tags": collection("osdi:tags", "Tag"),
    "Taggings": collection("osdi:taggings", "Tagging"),
    "Metadata": thing({"name": TEXT, "_links": links("self", "action_network:custom_fields")}),
    "CustomFields": thing({
        "origin_system": TEXT, "name": TEXT, "description": TEXT,
        "action_network:custom_fields": many(thing({"name": TEXT, "notes": {"type": ["string", "null"]},
                                                    "numeric_id": NUMBER})),
        "_links": links("self"),
    }),
    "Nothing": about({"type": "object", "maxProperties": 0}, "Done, or going to be done; nothing is told."),
    "Notice": thing({"notice": TEXT}),
    "Error": thing({"error": TEXT}),
}  # fmt: skip

IDENTIFIERS = about(many(TEXT), "`[system name]:[id]`, each once in your organization.")
PERSON: Schema = {
    "given_name": TEXT | {"maxLength": 100}, "family_name": TEXT | {"maxLength": 100}, "identifiers": IDENTIFIERS,
    "languages_spoken": many(TEXT),
    "email_addresses": about(many(sent({"address": TEXT, "primary": FLAG, "status": TEXT, "almoner:asked": FLAG})),
                             "One counts: the primary one, or the first. `status`: `subscribed` if they asked for it. "
                             "`almoner:asked`: a form asked them; then no status is a no of whoever is new."),
    "phone_numbers": about(many(sent({"number": {"type": ["string", "integer"]}, "primary": FLAG, "status": TEXT})),
                           "One counts. `status`: `subscribed` if they agreed to text messages."),
    "postal_addresses": many(sent({
        "address_lines": many(TEXT), "locality": TEXT, "region": TEXT, "postal_code": TEXT, "country": TEXT,
        "primary": FLAG,
    })),
    "custom_fields": about({"type": "object"}, "By the names of your organization’s custom fields."),
}  # fmt: skip
TAG_LISTS: Schema = {
    "add_tags": about(many(TEXT), "Names of tags that there are; others are passed over."),
    "remove_tags": about(many(TEXT), "Taken off after the others were put on."),
}  # fmt: skip
DONATION: Schema = {
    "recipients": about(
        many(sent({"display_name": TEXT, "amount": about(TEXT, "A text, such as 3.00.")}, ("display_name", "amount"))),
        "Who gets how much; at least one.",
    ),
    "created_date": about(TIME, "When it was given; now if it is not said."),
    "identifiers": about(IDENTIFIERS, "One that a donation has already is answered with that donation."),
    "action_network:recurrence": about(sent(RECURRENCE), "Whether it is given again and again, and how often."),
    "action_network:referrer_data": about(sent(REFERRER), "What led the donor to the page."),
}  # fmt: skip
PAGE: Schema = {
    "title": TEXT | {"maxLength": 255}, "name": TEXT | {"maxLength": 255}, "summary": TEXT, "description": TEXT,
    "origin_system": TEXT | {"maxLength": 255}, "browser_url": TEXT, "featured_image_url": TEXT,
    "action_network:hidden": FLAG, "identifiers": IDENTIFIERS,
}  # fmt: skip
HELPED = "Found or added by an email address or a phone number, one of which is needed. What is not sent stays."
BODIES: dict[str, Schema] = {
    "NewDonation": sent(DONATION | {
        "person": about(sent(PERSON), HELPED),
        "_links": about(sent({"osdi:person": sent({"href": TEXT})}), "A link to the person, in place of `person`."),
    } | TAG_LISTS, ("recipients",)),
    "DonationChange": sent(DONATION),
    "Signup": sent({"person": about(sent(PERSON), HELPED)} | TAG_LISTS, ("person",)),
    "PersonChange": sent(PERSON),
    "NewPage": sent(PAGE, ("title",)),
    "PageChange": sent(PAGE),
    "NewTag": sent({"name": TEXT | {"maxLength": 80}}, ("name",)),
    "NewTagging": sent({"_links": sent({"osdi:person": sent({"href": TEXT}, ("href",))}, ("osdi:person",))},
                       ("_links",)),
}  # fmt: skip
