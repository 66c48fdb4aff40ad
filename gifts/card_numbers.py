"""Numbers of payment cards are never kept (D9): whoever types or sends one in a comment finds it taken out. Pure."""

import re

TAKEN_OUT = "[card number removed]"
# 13 to 19 digits, with single blanks or dashes between them, and no digit before or after.
RUN = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d]|[.,]\d)")
GROUPS = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}")


def without_card_numbers(text: str) -> str:
    """The text with everything that looks like the number of a card replaced by a note. Other long numbers stay."""
    return RUN.sub(lambda found: TAKEN_OUT if is_card_number(found[0]) else found[0], text) if text else text


def is_card_number(run: str) -> bool:
    """Four groups of four, as cards print them, or a number whose last digit is the check of the others (Luhn)."""
    if GROUPS.fullmatch(run):
        return True
    digits = [int(one) for one in run if one.isdigit()][::-1]
    doubled = [sum(divmod(2 * one, 10)) for one in digits[1::2]]
    return any(digits) and (sum(digits[::2]) + sum(doubled)) % 10 == 0
