"""How much two contacts look like one: names, places, and what a pair has in common. Pure; nothing is read."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz import fuzz

from contacts.duplicates.nicknames import may_be_one

# What sets people apart less than it seems: titles and endings.
TITLES = {"mr", "mrs", "ms", "miss", "dr", "prof", "rev", "sir", "mx", "herr", "frau", "jr", "sr"}
STREETS = {
    "street": "st", "str": "st", "strasse": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr",
    "lane": "ln", "boulevard": "blvd", "court": "ct", "place": "pl", "square": "sq", "highway": "hwy",
    "parkway": "pkwy", "terrace": "ter", "apartment": "apt", "suite": "ste", "north": "n", "south": "s", "east": "e",
    "west": "w",
}  # fmt: skip
ALIKE_FIRST, ALIKE_LAST, ALIKE_WHOLE = 75, 85, 88
LEAST = 30  # a pair that scores less is not worth anybody's time
MORE = 8  # for each further reason


def folded(text: str) -> str:
    """Without accents, case and punctuation."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ẞ", "ss")).casefold()
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c) and c not in "'’`")
    return " ".join(kept.split())


@lru_cache(maxsize=4096)
def name_key(text: str) -> str:
    """A name without titles."""
    words = folded(text).split()
    return " ".join(word for word in words if word not in TITLES) or " ".join(words)


def place_key(street: str, postal_code: str) -> str:
    """Street and postal code in the form in which two spellings are equal; "" unless both are there."""
    words = re.sub(r"(?<=[a-z])strasse\b", " strasse", re.sub(r"(?<=[a-z])str\b", " strasse", folded(street))).split()
    code = folded(postal_code).replace(" ", "")
    if re.fullmatch(r"\d{9}", code):  # ZIP+4
        code = code[:5]
    return f"{' '.join(STREETS.get(word, word) for word in words)}|{code}"[:250] if words and code else ""


@dataclass(frozen=True, slots=True)
class Look:
    """What is compared of one contact."""

    pk: int
    is_organization: bool = False
    first: str = ""
    last: str = ""
    organization: str = ""
    household: int | None = None
    emails: Mapping[str, str] = field(default_factory=dict)  # {key: as it is shown}
    phones: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def names_alike(one: Look, other: Look) -> bool:
    """Whether the names could be two spellings of one: a letter off, an initial, first and last name swapped."""
    if one.is_organization or other.is_organization:
        mine, theirs = name_key(one.organization), name_key(other.organization)
        if one.is_organization != other.is_organization or not (mine and theirs):
            return False
        return fuzz.token_sort_ratio(mine, theirs) >= ALIKE_WHOLE
    first, last = (name_key(one.first), name_key(other.first)), (name_key(one.last), name_key(other.last))
    if not any(first + last):
        return False
    if first_names_alike(*first) and all(last) and fuzz.ratio(*last) >= ALIKE_LAST:
        return True
    words, others = f"{first[0]} {last[0]}".split(), f"{first[1]} {last[1]}".split()
    return len(words) > 1 and sorted(words) == sorted(others)


def first_names_alike(one: str, other: str) -> bool:
    """Ana and Ana Maria, Anna and Ana, A. and Ana, Chris and Christopher; an empty one may be anybody's."""
    if not one or not other:
        return True
    mine, theirs = one.split(), other.split()
    if len(mine[0]) == 1 or len(theirs[0]) == 1:
        return mine[0][0] == theirs[0][0]
    return mine[0] == theirs[0] or may_be_one(mine[0], theirs[0]) or fuzz.ratio(one, other) >= ALIKE_FIRST


def both_named(one: Look, other: Look) -> bool:
    """Whether both have names to tell them apart by; a person and an organization are told apart by that."""
    if one.is_organization or other.is_organization:
        return one.is_organization != other.is_organization or bool(one.organization and other.organization)
    return bool((name_key(one.first) and name_key(other.first)) or (name_key(one.last) and name_key(other.last)))


def names_equal(one: Look, other: Look) -> bool:
    """Whether the names are the same but for case, accents, titles and order."""
    mine = name_key(f"{one.first} {one.last} {one.organization if one.is_organization else ''}").split()
    theirs = name_key(f"{other.first} {other.last} {other.organization if other.is_organization else ''}").split()
    return sorted(mine) == sorted(theirs)


def has_same_first_name(one: Look, other: Look) -> bool:
    """Whether only the last name is another, as after a marriage."""
    mine, theirs = name_key(one.first), name_key(other.first)
    return len(mine) > 1 and mine == theirs


def compare(one: Look, other: Look) -> tuple[int, list[list[str]]]:
    """(how sure, what is the same): 0 for a pair that is none, such as a couple with one address."""
    reasons = [["email", shown] for key, shown in sorted(one.emails.items()) if key in other.emails]
    reasons += [["phone", shown] for key, shown in sorted(one.phones.items()) if key in other.phones]
    alike = names_alike(one, other)
    if not reasons and not alike:
        return 0, []
    differ = not alike and both_named(one, other)
    if alike:
        reasons += [["name", shown] for key, shown in sorted(one.places.items()) if key in other.places]
    if differ and one.household is not None and one.household == other.household:
        return 0, []
    scores = {"email": 95 if alike else 80, "phone": 80 if alike else 60, "name": 75 if names_equal(one, other) else 60}
    if differ:  # a couple, a family, an office: one number for several people is nothing unusual
        renamed = not one.is_organization and not other.is_organization and has_same_first_name(one, other)
        scores = {"email": 70, "phone": 60} if renamed else {"email": 45, "phone": 20}
    kinds = sorted({scores[kind] for kind, _ in reasons}, reverse=True)
    score = min(100, kinds[0] + MORE * (len(kinds) - 1)) if kinds else 0
    return (score, reasons) if score >= LEAST else (0, [])
