"""How a text is folded before it is kept for search or looked for: without accents, case and stray signs. Pure."""

import re
import unicodedata
from collections.abc import Iterable

# What stays one letter when accents are taken off, as people without that keyboard write it.
SPELLED_OUT = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n",
    "ĸ": "k", "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "‐": "-", "‑": "-", "–": "-", "—": "-",
})  # fmt: skip
LEFT_OUT = {"Mn", "Me", "Cc", "Cf", "Cs"}  # accents, and signs that nobody sees or types
JOINTS = re.compile(r"['.\-]")
BEFORE_WORD = "  "  # so that even the first one or two letters of a word make a triple for the index


def fold(text: str) -> str:
    """“Åsa  Müller-Łoś” → “asa muller-los”: spaces are single, and none stands at either end."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.translate(SPELLED_OUT)).casefold())
    spaced = " ".join(plain.split())
    kept = "".join(sign for sign in spaced if unicodedata.category(sign) not in LEFT_OUT)
    return kept.translate(SPELLED_OUT)


def digits_of(number: str) -> str:
    """A phone number as it is compared: without signs, the (0) of “+44 (0)20”, and leading zeros."""
    return re.sub(r"[^0-9]", "", unicodedata.normalize("NFKD", number).replace("(0)", "")).lstrip("0")


def searchable(names: Iterable[str], others: Iterable[str], numbers: Iterable[str]) -> str:
    """One line for each, each word with two spaces before it. Names are there also as “obrien” for “O’Brien”."""
    lines = []
    for name in names:
        folded = fold(name)
        if joined := JOINTS.sub("", folded):
            lines.append(folded if joined == folded else f"{folded} {joined}")
    lines += [fold(other) for other in others]
    lines += [digits_of(number) for number in numbers]
    return "\n".join(BEFORE_WORD + BEFORE_WORD.join(line.split()) for line in lines if line)
