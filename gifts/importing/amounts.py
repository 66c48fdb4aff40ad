"""Amounts as people write them: $1,250.00, 1.250,00 €, 1 250, USD 50. Pure; nothing is guessed or converted."""

import re
from decimal import Decimal

from contacts.tenancy.currency import SIGNS

WORDS = re.compile(r"^(?:[A-Z]{2,3}\s*)?[$€£¥₹]?\s*|\s*[$€£¥₹]?\s*(?:[A-Z]{2,3})?$", re.IGNORECASE)
BLANKS = re.compile(r"[\s\u00a0\u202f'’]")
DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
LARGEST = Decimal("9999999999.99")
DOLLARS = {"US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD"}


class NoAmount(ValueError):
    """It cannot be read; the sentence says why."""


def amount(cell: str, currency: str) -> Decimal:
    """The amount in a cell, to the cent, in the organization's currency (M9); a cell that names another is refused. An
    amount has no three decimals: 1.250 and 1,250 are one thousand and more."""
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
    found = Decimal(with_point(plain, cell))
    if not found:
        raise NoAmount("The amount is nothing. A gift is more than that.")
    if found > LARGEST:
        raise NoAmount(f"“{cell[:40]}” is more than can be kept.")
    return found


def is_foreign(text: str, currency: str) -> bool:
    """Whether it names another currency than this one, by its code or its sign."""
    words = [word.upper() for word in re.findall(r"[^\W\d_]{2,3}", text)]
    if words:
        return any(DOLLARS.get(word, word if len(word) == 3 else currency) != currency for word in words)
    own = SIGNS.get(currency, "$")  # “$” is also the sign of pesos
    return any(sign in text and sign not in own for sign in "$€£¥₹")


def with_point(plain: str, cell: str) -> str:
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
    if in_thousands(plain, sign):
        return plain.replace(sign, "")
    if sign == "." and sign not in whole and len(rest) > 3 and set(rest[2:]) <= set("0"):
        return f"{whole}.{rest[:2]}"  # as spreadsheets write it: 12.5000
    raise NoAmount(f"“{cell[:40]}” can be read in several ways. Write it like 1250.00.")


def in_thousands(digits: str, sign: str) -> bool:
    """Whether the sign divides by three digits."""
    first, *groups = digits.split(sign)
    if not groups:
        return True
    return 0 < len(first) <= 3 and first != "0" and all(len(group) == 3 for group in groups)
