"""Reading the XML of an answer, damaged or not (dossier, section 4.3): strictly, then repaired, then field by field.

Every row that the answer opens is read, or the answer counts as unreadable: a parser that recovers by itself loses data
without a word. Entities and document types are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
OPENED = re.compile(r"<record\b")
RECORD = re.compile(r"<record\b[^>]*>(.*?)</record\s*>", re.DOTALL)
NAME = re.compile(r"""\bname=(["'])(.*?)\1""")
ERROR = re.compile(r"<error>(.*?)</error\s*>", re.DOTALL)
REASON = re.compile(r"""\breason=(["'])(.*?)\1""", re.DOTALL)
FAILED = re.compile(r"""\bvalue=(["'])false\1""", re.IGNORECASE)


class Unreadable(ValueError):
    """Not an answer of DonorPerfect's, or one that lost rows."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its values by name in small letters, and the names of fields that could not be read."""

    values: dict[str, str]
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What an answer says: rows, or a refusal with its `reason`, its `error`, or both."""

    records: list[Record] = field(default_factory=list)
    is_refusal: bool = False
    reason: str = ""
    error: str = ""


def read(body: bytes) -> Content:
    """The content of an answer; raises `Unreadable` for pages, empty bodies and answers that lost rows."""
    if not body.strip():
        raise Unreadable("The answer is empty.")
    text = decoded(body)
    content = strictly(body) or strictly(repaired(text)) or piece_by_piece(text)
    if len(content.records) != len(OPENED.findall(text)):
        raise Unreadable("Rows of the answer are missing.")
    return content


def decoded(body: bytes) -> str:
    """UTF-8, or what old servers speak."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def repaired(text: str) -> bytes:
    """The same XML without its usual damage: a bare ampersand, control characters, a declaration that lies."""
    text = BARE_AMPERSAND.sub("&amp;", ILLEGAL.sub(" ", DECLARATION.sub("", text)))
    return text.encode()


def strictly(body: bytes) -> Content | None:
    """The content of well-formed XML, or None."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except ParseError:
        return None
    except (DefusedXmlException, ValueError):
        raise Unreadable("The answer is not one of DonorPerfect's.") from None
    if root.tag != "result":
        raise Unreadable("The answer is not one of DonorPerfect's.")
    records = [Record(values(record)) for record in root if record.tag == "record"]
    error = " ".join(each.text or "" for each in root.iter("error")).strip()
    envelopes = [each for each in root if each.tag == "field" and each.get("name", "").lower() == "success"]
    failed = [each for each in envelopes if each.get("value", "").lower() == "false"]
    reason = failed[0].get("reason", "") if failed else ""
    return Content(records, bool(failed) or root.find(".//error") is not None, reason, error)


def values(record: Element) -> dict[str, str]:
    """The fields of a row; of two with one name the first counts."""
    found: dict[str, str] = {}
    for each in record.iter("field"):
        found.setdefault((each.get("name") or each.get("id") or "").lower(), each.get("value", ""))
    return found


def piece_by_piece(text: str) -> Content:
    """The last resort: each field is read for itself, and one that is beyond repair is left out of its row."""
    if not re.match(r"\s*(<\?xml[^>]*\?>)?\s*<result\b", text):
        raise Unreadable("The answer is not one of DonorPerfect's.")
    records = [salvaged(inside) for inside in RECORD.findall(text)]
    error, reason = ERROR.search(text), None
    outside = RECORD.sub("", text)
    if FAILED.search(outside):
        reason = REASON.search(outside)
    if not records and error is None and reason is None:
        raise Unreadable("The answer cannot be read.")
    return Content(records, bool(error or reason), reason[2] if reason else "", error[1].strip() if error else "")


def salvaged(inside: str) -> Record:
    """A row whose XML is broken."""
    found: dict[str, str] = {}
    lost: list[str] = []
    for name, element in fields(inside):
        if element is None:
            lost.append(name)
        else:
            found.setdefault(name, element.get("value", ""))
    return Record(found, tuple(lost))


def fields(inside: str) -> Iterator[tuple[str, Any]]:
    """(name, element or None) of each field in the text of a row."""
    for piece in re.split(r"(?=<field\b)", inside):
        if piece.startswith("<field"):
            named = NAME.search(piece)
            try:
                yield (named[2].lower() if named else ""), fromstring(repaired(piece.strip()), forbid_dtd=True)
            except (ParseError, ValueError):
                yield (named[2].lower() if named else ""), None
