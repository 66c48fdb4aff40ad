"""Amounts as people write them: $1,250.00, 1.250,00 €, 1 250, USD 50. Pure; nothing is guessed or converted."""

import re
from collections.abc import Iterable
from decimal import Decimal

from contacts.tenancy.currency import SIGNS

WORDS = re.compile(r"^(?:A(?=\$)|[A-Z]{2,3}\s*)?[$€£¥₹]?\s*|\s*[$€£¥₹]?\s*(?:[A-Z]{2,3})?$", re.IGNORECASE)
BLANKS = re.compile(r"[\s\u00a0\u202f'’]")
DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
LARGEST = Decimal("9999999999.99")
CENT = Decimal("0.01")
POINT, COMMA, ASK = "point", "comma", "ask"  # what stands before the cents
SIGN = {POINT: ".", COMMA: ","}
# What the people of a currency write. Those of the euro, for one, write both.
CUSTOM = {"USD": POINT, "GBP": POINT, "AUD": POINT, "NZD": POINT, "JPY": POINT}
NUMBER = re.compile(r"\d+(?:\.\d+)?")
TOO_FINE = "“{}” has more than two decimals, so it is no amount of money. Write it like 1250.00."
DOLLARS = {"US": "USD", "CA": "CAD", "AU": "AUD", "A": "AUD", "NZ": "NZD"}
WITH_DOLLARS = (
    "ARS",
    "CLP",
    "COP",
    "DOP",
    "MXN",
    "UYU",
    "HKD",
    "SGD",
    "TWD",
    "JMD",
    "TTD",
    "BSD",
    "BBD",
    "BZD",
)  # also “$”


class NoAmount(ValueError):
    """It cannot be read; the sentence says why."""


def amount(cell: str, currency: str, mark: str = "", of_sheet: bool = False) -> Decimal:
    """The amount in a cell, to the cent, in the organization's currency (M9); a cell that names another is refused.

    `mark` says what stands before the cents in this file; without it, 1.250 and 1,250 are read by the custom of the
    currency, or refused where it has none. In a spreadsheet (`of_sheet`) 12.5 is a number, whatever the mark is.
    """
    text = cell.strip()
    if is_foreign(text, currency):
        raise NoAmount(f"“{cell[:40]}” is not in {currency}. Put the amount in {currency} that arrived into the file.")
    if text.startswith("(") and text.endswith(")") or re.match(r"^\D*[-−–]", text) or text.endswith("-"):
        raise NoAmount(
            f"“{cell[:40]}” is less than nothing. Import the gift itself, and note the refund on the page of the gift."
        )
    plain = BLANKS.sub("", WORDS.sub("", text))
    if not DIGITS.fullmatch(plain):
        raise NoAmount(f"“{cell[:40]}” is not an amount. Write it like 1250.00.")
    is_number = of_sheet and NUMBER.fullmatch(text)
    found = Decimal(with_point(plain, cell, POINT if is_number else mark or CUSTOM.get(currency, "")))
    if not found:
        raise NoAmount("The amount is nothing. A gift is more than that.")
    if found > LARGEST:
        raise NoAmount(f"“{cell[:40]}” is more than can be kept.")
    return found.quantize(CENT)


def is_foreign(text: str, currency: str) -> bool:
    """Whether it names another currency than this one, by its code or its sign."""
    words = [word.upper() for word in re.findall(r"[^\W\d_]{2,3}|A(?=\$)", text)]
    if words:
        return any(DOLLARS.get(word, word if len(word) == 3 else currency) != currency for word in words)
    own = SIGNS.get(currency, "$" if currency in WITH_DOLLARS else "")
    return any(sign in text and sign not in own for sign in "$€£¥₹")


def with_point(plain: str, cell: str, mark: str) -> str:
    """Digits with one point before the cents, and nothing between thousands."""
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and point >= 0:
        decimal, thousand = (",", ".") if comma > point else (".", ",")
        whole, _, rest = plain.rpartition(decimal)
        if decimal in whole or len(rest) > 2 or not in_thousands(whole, thousand):
            raise NoAmount(f"“{cell[:40]}” can be read in several ways. Write it like 1250.00.")
        return f"{whole.replace(thousand, '')}.{rest}"
    sign = "," if comma >= 0 else "."
    whole, _, rest = plain.rpartition(sign)
    if not whole:
        return plain
    if len(rest) <= 2 and sign not in whole:
        return f"{whole}.{rest}"
    if in_thousands(plain, sign) and (sign in whole or SIGN.get(mark, sign) != sign):
        return plain.replace(sign, "")
    if sign not in whole and (mark or not in_thousands(plain, sign)):
        if sign == "." and len(rest) > 3 and set(rest[2:]) == {"0"}:
            return f"{whole}.{rest[:2]}"  # as spreadsheets write it: 12.5000
        raise NoAmount(TOO_FINE.format(cell[:40]))
    raise NoAmount(f"“{cell[:40]}” can be read in several ways. Write it like 1250.00.")


def in_thousands(digits: str, sign: str) -> bool:
    """Whether the sign divides by three digits."""
    first, *groups = digits.split(sign)
    if not groups:
        return True
    return 0 < len(first) <= 3 and first != "0" and all(len(group) == 3 for group in groups)


def marks(cells: Iterable[str], of_sheet: bool = False) -> set[str]:
    """What these amounts show of how cents are written in their file: POINT, COMMA, or ASK for one such as 1.250."""
    found = set()
    for cell in cells:
        plain = BLANKS.sub("", WORDS.sub("", cell.strip()))
        if not DIGITS.fullmatch(plain) or (of_sheet and NUMBER.fullmatch(cell.strip())):
            continue
        comma, point = plain.rfind(","), plain.rfind(".")
        if comma < 0 and point < 0:
            continue
        last, other = (COMMA, POINT) if comma > point else (POINT, COMMA)
        whole, _, rest = plain.rpartition(SIGN[last])
        if SIGN[last] in whole:
            found.add(other)  # 1,234,567
        elif SIGN[other] in whole or len(rest) != 3 or not in_thousands(plain, SIGN[last]):
            found.add(last)
        else:
            found.add(ASK)
    return found


def mark_of(found: set[str], currency: str) -> str:
    """POINT or COMMA, as what was found says, or else the custom of the currency; ASK if only a person can say it."""
    told = found - {ASK}
    if len(told) == 1:
        return next(iter(told))
    return CUSTOM.get(currency, "") or (ASK if ASK in found else "")
