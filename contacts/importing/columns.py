"""What a column is: told from its heading in the words that people use, or from what stands in it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from contacts import custom
from contacts.models import CustomField, OutsideIdentifier

IGNORE = ""
OUTCOME, TO_DO, OUR_ID = "Outcome", "What to do", "Almoner id"
REPORT_COLUMNS = (OUTCOME, TO_DO)
IDENTIFIER, CUSTOM = "identifier:", "custom:"

# field: (what it is called, in which group of the choice, other headings it is known by)
FIELDS: dict[str, tuple[str, str, str]] = {
    "first_name": ("First name", "Name",
        "first, given name, given, forename, fname, christian name, vorname, prenom, nombre, nombres"),
    "last_name": ("Last name", "Name",
        "last, surname, family name, lname, second name, nachname, familienname, nom, nom de famille, apellido, "
        "apellidos"),
    "full_name": ("Full name (is divided)", "Name",
        "name, full name, contact name, person, contact, donor name, member name, display name, nom complet, "
        "nombre completo, your name, attendee, volunteer name"),
    "organization_name": ("Organization", "Name",
        "organisation, company, company name, employer, business, organization name, organisation name, org, firma, "
        "societe, empresa, institution, school, account name, workplace"),
    "job_title": ("Job title", "Name", "title, position, role, job, occupation, function"),
    "kind": ("Person or organization", "Name", "kind, type, contact type, constituent type, record type"),
    "email": ("Email", "How to reach them",
        "e mail, email address, e mail address, mail, primary email, email 1, mail address, courriel, correo, "
        "correo electronico, e mail adresse, emailaddress, work email, home email, personal email"),
    "other_email": ("Other emails", "How to reach them",
        "another email, email 2, second email, secondary email, alternate email, alternative email, "
        "other email, email 3, cc email"),
    "phone": ("Phone", "How to reach them",
        "telephone, phone number, tel, telephone number, primary phone, phone 1, telefon, telefono, main phone, "
        "day phone, contact number, number"),
    "phone:mobile": ("Mobile phone", "How to reach them",
        "mobile, cell, cell phone, cellphone, cellular, mobile number, mobile phone number, handy, movil, portable, "
        "sms"),
    "phone:home": ("Home phone", "How to reach them",
        "home, home telephone, home number, evening phone, private phone, residence phone, phone home"),
    "phone:work": ("Work phone", "How to reach them",
        "work, office phone, business phone, work number, work telephone, office, phone work"),
    "other_phone": ("Other phones", "How to reach them", "phone 2, other phone, second phone, alternate phone"),
    "street": ("Street", "Address",
        "address, street address, address 1, address line 1, mailing address, street 1, addr, strasse, rue, calle, "
        "home address, postal address, address line, addr1"),
    "street_2": ("Street, second line", "Address",
        "address 2, address line 2, street 2, apartment, apt, unit, suite, addr2"),
    "city": ("City", "Address", "town, city town, suburb, ort, stadt, ville, ciudad, town city, locality"),
    "state": ("State or region", "Address",
        "state, region, province, county, st, bundesland, state province, state region, provincia"),
    "postal_code": ("Postal code", "Address",
        "zip, zip code, zipcode, postcode, post code, postal, plz, code postal, codigo postal, zip postal code, "
        "zip 5"),
    "country": ("Country", "Address", "country code, nation, land, pays, pais, country region"),
    "do_not_contact": ("Do Not Contact (yes or no)", "May we write?",
        "do not contact, dnc, opt out, opted out, optout, unsubscribed, do not email, do not mail, no email, no mail, "
        "no contact, unsubscribe, email opt out, has opted out, do not solicit, suppressed, opted out of email, "
        "has opted out of email"),
    "may_contact": ("May be written to (yes or no)", "May we write?",
        "may contact, can contact, may we contact, opt in, opted in, optin, subscribed, consent, email consent, "
        "email opt in, email ok, ok to email, newsletter consent, permission, gdpr consent, subscription status, "
        "email status, marketing consent, accepts marketing"),
    "dnc_lists": ("Lists that may not be used", "May we write?", "do not contact on lists"),
    "lists": ("Lists", "Groups",
        "list, lists, lists and committees, committee, committees, mailing lists, mailing list, groups, group, "
        "newsletters"),
    "tags": ("Tags", "Groups", "tag, labels, label, keywords, categories, category, codes, flags"),
    "notes": ("Notes", "More",
        "note, comments, comment, remarks, remark, memo, description, bemerkung, notas, details"),
    "uid": (OUR_ID, "More", "almoner id, almoner number"),
    "custom_user_id": ("Id in another system", "More",
        "id elsewhere, id, custom user id, user id, userid, member id, member number, member no, membership number, "
        "contact id, external id, record id, constituent id, donor id, customer number, customer id, supporter id, "
        "identifier in another system, number in another system, reference"),
    "identifiers": ("Identifiers, as “System: number”", "More", "other ids"),
}  # fmt: skip
# May stand above several columns: they are put together.
SEVERAL = {"other_email", "other_phone", "street_2", "lists", "dnc_lists", "tags", "notes", "identifiers"}
# The second column of the kind is most likely this.
NEXT = {"email": "other_email", "phone": "other_phone", "street": "street_2"}
FILLERS = set(
    "the a of person contact constituent donor member supporter s primary preferred main current your".split()
)
LOOKS_LIKE_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def plain(heading: str) -> str:
    """A heading without case, accents and signs: “E-Mail” is “e mail”."""
    folded = unicodedata.normalize("NFKD", heading.casefold())
    return " ".join(re.findall(r"[a-z0-9]+", "".join(c for c in folded if not unicodedata.combining(c))))


KNOWN = {
    plain(word): key
    for key, (label, _, words) in FIELDS.items()
    for word in [label, key.replace("_", " "), *words.split(",")]
}
KNOWN |= {plain(word): IGNORE for word in REPORT_COLUMNS}


def is_known_heading(heading: str) -> bool:
    """Whether this is a heading that people use."""
    return plain(heading) in KNOWN


@dataclass
class Choices:
    """What a column can be in this organization."""

    fields: list[CustomField] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)

    @classmethod
    def here(cls) -> "Choices":
        """The organization's own fields, and the other systems it has identifiers of."""
        systems = OutsideIdentifier.objects.order_by("system").values_list("system", flat=True).distinct()
        return cls(list(custom.fields()), list(systems[:50]))

    def groups(self, heading: str) -> list[tuple[str, list[tuple[str, str]]]]:
        """For the choice on the page: the fields in groups, with an identifier named after this heading."""
        found: dict[str, list[tuple[str, str]]] = {}
        for key, (label, group, _) in FIELDS.items():
            found.setdefault(group, []).append((key, label))
        if self.fields:
            found["Your own fields"] = [(f"{CUSTOM}{one.uid}", one.name) for one in self.fields]
        names = {name.casefold(): name for name in [system_of(heading), *self.systems] if name}
        found["Identifier in another system"] = [(f"{IDENTIFIER}{name}", name) for name in names.values()]
        return list(found.items())

    def is_known(self, key: str) -> bool:
        """Whether this is something that a column can be."""
        if key.startswith(CUSTOM):
            return key in {f"{CUSTOM}{one.uid}" for one in self.fields}
        return key in FIELDS or key == IGNORE or (key.startswith(IDENTIFIER) and 0 < len(key) - len(IDENTIFIER) <= 50)

    def label(self, key: str) -> str:
        """What it is called."""
        if key.startswith(IDENTIFIER):
            return f"Identifier in {key.removeprefix(IDENTIFIER)}"
        named = {f"{CUSTOM}{one.uid}": one.name for one in self.fields}
        return FIELDS[key][0] if key in FIELDS else named.get(key, "Do not import")


def system_of(heading: str) -> str:
    """The name of the other system in a heading such as “DonorPerfect ID”."""
    name = re.sub(r"[\s_-]*\b(id|ids|identifier|number|no|nr|key|code)\b\.?$", "", heading.strip(), flags=re.IGNORECASE)
    return (name.strip(" _-") or heading.strip())[:50]


def recognise(headings: Sequence[str], rows: Sequence[Sequence[str]], choices: Choices) -> list[str]:
    """The field of each column; each field once, unless several may be put together."""
    by_name = {plain(one.name): f"{CUSTOM}{one.uid}" for one in choices.fields}
    by_system = {plain(f"{name}{end}"): f"{IDENTIFIER}{name}" for name in choices.systems for end in ("", " id")}
    found: list[str] = []
    for index, heading in enumerate(headings):
        cells = [row[index] for row in rows if index < len(row) and row[index]]
        key = field_of(heading, {**KNOWN, **by_system, **by_name}, cells)
        while key in found and key not in SEVERAL:
            key = NEXT.get(key, IGNORE)
            if key == IGNORE:
                break
        found.append(key)
    return parted(found)


def field_of(heading: str, known: dict[str, str], cells: Sequence[str]) -> str:
    """By the heading, whole or without words that say nothing; else by what stands below it."""
    name = re.sub(r" \(\d+\)$", "", heading)  # of the second column of a name
    shorter = " ".join(word for word in plain(name).split() if word not in FILLERS)
    for word in (plain(name), shorter):
        if word in known:
            return known[word]
    if cells and sum(bool(LOOKS_LIKE_EMAIL.fullmatch(cell)) for cell in cells) >= 0.6 * len(cells):
        return "email"
    match = re.fullmatch(r"(.+) id", plain(name))
    return f"{IDENTIFIER}{system_of(name)}" if match else IGNORE


def parted(found: list[str]) -> list[str]:
    """A full name beside first and last name says nothing new."""
    if {"first_name", "last_name"} <= set(found):
        return [IGNORE if key == "full_name" else key for key in found]
    return found


def clashes(chosen: Sequence[str], headings: Sequence[str], choices: Choices) -> list[str]:
    """A sentence for each field that several columns claim, and for a file of which nothing would be imported."""
    problems = []
    for key in dict.fromkeys(chosen):
        names = [f"“{heading}”" for heading, one in zip(headings, chosen, strict=True) if one == key]
        if key != IGNORE and key not in SEVERAL and len(names) > 1:
            problems.append(
                f"{' and '.join(names)} cannot both be {choices.label(key)}. Choose something else for one."
            )
    if not any(chosen):
        problems.append("Choose for at least one column what it is.")
    return problems


def left_out(described: list[dict[str, str]], chosen: list[str]) -> list[str]:
    """The headings of the columns that do not come in; those of an earlier report are none of them."""
    pairs = zip((one.get("header", "") for one in described), chosen, strict=False)
    return [header for header, key in pairs if not key and header and header not in REPORT_COLUMNS]
