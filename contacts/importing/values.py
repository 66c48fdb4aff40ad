"""From what people type to what is kept. Pure; nothing is invented: what cannot be read is left out, and said so."""

import re
from functools import cache
from importlib import resources

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from contacts.custom import NO, YES
from contacts.models.contact import address_key

INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
PARTICLES = set(
    "van von vom zu zum zur de der den del della delle di da das do dos du des la le las los el al bin ibn bint "
    "ter ten af av of y e".split()
)
SUFFIXES = {"jr", "jr.", "sr", "sr.", "ii", "iii", "iv", "phd", "md", "esq", "esq."}
MORE_NO = {"unsubscribed", "opted out", "opt out", "opt-out", "optout", "cleaned", "never", "declined", "refused",
           "withdrawn", "do not contact", "dnc", "no email", "bounced", "complained"}  # fmt: skip
MORE_YES = {"subscribed", "opted in", "opt in", "opt-in", "active", "ok", "confirmed", "granted", "given", "agreed"}
NEUTRAL = {"unknown", "n/a", "none", "-"}
ORGANIZATIONS = {"organization", "organisation", "company", "business", "org", "corporate", "foundation", "school",
                 "church", "government", "nonprofit", "vendor"}  # fmt: skip
PEOPLE = {"person", "individual", "contact", "people", "human", "private"}
ALIASES = {
    "usa": "US", "u s a": "US", "us": "US", "u s": "US", "united states of america": "US", "america": "US",
    "uk": "GB", "u k": "GB", "united kingdom": "GB", "great britain": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "northern ireland": "GB", "deutschland": "DE", "osterreich": "AT", "schweiz": "CH", "suisse": "CH",
    "espana": "ES", "italia": "IT", "nederland": "NL", "holland": "NL", "the netherlands": "NL", "belgique": "BE",
    "mexico": "MX", "brasil": "BR", "south korea": "KR", "korea": "KR", "russia": "RU", "czech republic": "CZ",
    "vietnam": "VN", "viet nam": "VN", "cote d ivoire": "CI", "turkiye": "TR",
}  # fmt: skip
_email = EmailValidator()


def tidy(text: str) -> str:
    """Without invisible signs, and with single spaces."""
    return " ".join(INVISIBLE.sub("", text).split())


def cut(text: str, most: int) -> tuple[str, str]:
    """At most so many letters, with a sentence when some are left out."""
    return (text, "") if len(text) <= most else (text[:most].rstrip(), f"“{text[:40]}…” was cut to {most} letters.")


def email_addresses(cell: str) -> tuple[list[str], list[str]]:
    """(addresses, what is none). Several may stand in a cell; a name beside an address in brackets is left aside."""
    cell = tidy(cell)
    if not cell:
        return [], []
    whole = repaired(cell)
    if is_email(whole):
        return [whole], []
    inside = re.findall(r"<([^<>]+)>", cell)
    parts = inside or re.split(r"[;,|\s]+(?=\S+@)|\s+(?:and|or|/)\s+|\s*/\s*(?=\S+@)", cell)
    good = [repaired(part) for part in parts]
    if good and all(is_email(address) for address in good):
        return list({address.lower(): address for address in good}.values()), []
    return [], [cell]


def repaired(address: str) -> str:
    """Without what does not belong to an address: mailto:, brackets, a full stop or comma at the end."""
    address = re.sub(r"^mailto:\s*", "", address.strip(), flags=re.IGNORECASE).partition("?subject=")[0]
    return quiet(address.strip("<>()[]\"' ").rstrip(".,;:").strip())


def quiet(address: str) -> str:
    """What is behind the @ in small letters, which no server tells from capitals; all of it where all are capitals. In
    other addresses the part before it stays as it was typed: comparing ignores its case anyway."""
    before, at, domain = address.rpartition("@")
    return address.lower() if before.isupper() and domain.isupper() else f"{before}{at}{domain.lower()}"


def is_email(address: str) -> bool:
    """As the forms of the pages judge it, and short enough also in small letters: a few become two of them."""
    try:
        _email(address)
    except ValidationError:
        return False
    return max(len(address), len(address_key(address))) <= 254


@cache
def phone_formats() -> int:
    """The form that is kept."""
    return phonenumbers.PhoneNumberFormat.E164


def phone_number(cell: str, regions: tuple[str, ...]) -> tuple[str, str]:
    """(E.164, "") or ("", why not); the regions are tried in turn for a number without a country code."""
    cell = tidy(cell)
    if not cell:
        return "", ""
    for region in regions:
        try:
            number = phonenumbers.parse(cell, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            kept = phonenumbers.format_number(number, phone_formats())
            return (
                kept,
                f"The extension {number.extension} was left out: only {kept} is kept." if number.extension else "",
            )
    return "", f"“{cell[:60]}” is not a phone number that can be dialled, so it was left out."


def names(full: str) -> tuple[str, str]:
    """(first, last). “Ruiz, Ana” and “Ana Ruiz”; van, de and their like belong to the last name."""
    full = tidy(full)
    before, comma, after = full.partition(",")
    if comma and after.strip() and after.strip().lower() not in SUFFIXES:
        return after.strip(), before.strip()
    words = full.split()
    if len(words) < 2:
        return full, ""
    start = len(words) - 1
    while start > 1 and words[start].lower().rstrip(",") in SUFFIXES:
        start -= 1
    while start > 1 and words[start - 1].lower() in PARTICLES:
        start -= 1
    return " ".join(words[:start]), " ".join(words[start:])


def opted_out(cell: str) -> bool | None:
    """A cell of a Do Not Contact column: yes, no, or None for nothing said. What is no clear no counts as yes: a date,
    a reason or a cross all mean that somebody asked to be left alone."""
    word = tidy(cell).casefold()
    if not word or word in NEUTRAL:
        return None
    return word not in NO and word not in MORE_YES


def may_be_contacted(cell: str) -> bool | None:
    """A cell of a column of consent: no, yes, or None for nothing said or nothing clear."""
    word = tidy(cell).casefold()
    if word in NO | MORE_NO or word.startswith(("no ", "not ", "unsub", "opted out", "withdr", "do not")):
        return False
    return True if word in YES | MORE_YES else None


def kind(cell: str) -> str | None:
    """person, organization, or None."""
    word = tidy(cell).casefold()
    return "organization" if word in ORGANIZATIONS else "person" if word in PEOPLE else None


def lost_zero(code: str, country: str) -> str:
    """A sentence about a postal code of the United States from which a spreadsheet may have taken the zero that it
    began with; nothing is put in."""
    if country != "US" or not re.fullmatch(r"\d{3,4}(-\d{4})?", code):
        return ""
    return f"The postal code “{code}” is short of five digits; a spreadsheet may have dropped a zero. It was kept so."


@cache
def countries() -> dict[str, str]:
    """{name without case and accents: code}, from the tables of the time zones."""
    from contacts.importing.columns import plain

    found = dict(ALIASES)
    for line in resources.files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8").splitlines():
        code, _, name = line.partition("\t")
        if len(code) == 2 and name:
            found |= {plain(name): code, plain(name.partition("(")[0]): code, code.lower(): code}
    return found


def country(cell: str) -> str | None:
    """Two letters, or None."""
    from contacts.importing.columns import plain

    return countries().get(plain(cell)) if cell.strip() else ""


def words_of(cell: str) -> list[str]:
    """Tags or lists in one cell, divided by commas, semicolons or bars; each once."""
    found = (tidy(part) for part in re.split(r"[,;|\n]", cell))
    return list({word.casefold(): word for word in found if word}.values())
