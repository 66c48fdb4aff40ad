"""Invent the file that a small nonprofit really has: 5,000 rows, semicolons, Windows letters, a title above the
headings, phone numbers as everybody types them, slips, and three people who are in it under two addresses."""

import csv
import io
import itertools
import random
from pathlib import Path

from config.demo import names
from config.demo.people import slug

ROWS = 5_000
SEED = 19_840_611
NAME = "sample-import.csv"
TITLE = "River Trust – everybody from the old database and the paper cards (export of 3 May)"
HEADINGS = [
    "Member No", "First", "Surname", "Organisation", "E-mail", "Phone", "Mobile", "Street", "Town", "State", "Zip",
    "Country", "Tags", "Do not contact", "Joined", "Comments",
]  # fmt: skip
WESTERN = (
    ("Zoë", "Müller"), ("Renée", "Lefèvre"), ("José María", "Ibáñez de la Peña"), ("Anne-Sophie", "D’Arcy"),
    ("Jürgen", "Groß"), ("Åsa", "Öberg"), ("François", "Noël"), ("Begoña", "Núñez"), ("Siân", "Llewellyn"),
    ("Caoimhín", "Ó Briain"), ("Inês", "Conceição"), ("Søren", "Kjær"),
)  # fmt: skip
# Each shows a reason for which one may suspect a double: same phone, similar name at one address, a nickname there.
DOUBLES = (
    (("Siobhán", "O’Brien", "siobhan.obrien@oakpost.test"), ("Siobhan", "O'Brian", "s.obrian@lettermail.test")),
    (
        ("Katherine", "Wallingford", "kwallingford@brightmail.test"),
        ("Catherine", "Wallingford", "cat.w@rivermail.test"),
    ),
    (("Christopher", "Lindqvist", "c.lindqvist@oldtown.test"), ("Chris", "Lindqvist", "chris@lindqvist-boats.test")),
)
AREA_CODES = (
    "201 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253 "
    "254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321"
).split()
PHONES = (
    "({0}) 555-01{1}", "{0}-555-01{1}", "{0}.555.01{1}", "+1 {0} 555 01{1}", "1-{0}-555-01{1}", "{0}55501{1}",
    "{0} 555 01{1}", " ({0})555-01{1} ", "tel:+1-{0}-555-01{1}",
)  # fmt: skip
BAD_PHONES = ("call evenings", "555-01", "n/a", "ask Bridget", "503 555")
BAD_EMAILS = (
    "{0}@@rivermail.test",
    "{0}.rivermail.test",
    "{0}@rivermail",
    "{0} at rivermail dot test",
    "{0}@river mail.test",
)
ODD_EMAILS = ("mailto:{0}", "<{0}>", "{0}.", " {0} ", "{0};", "{1} <{0}>")
TAGS = (
    "volunteer",
    "kayaker",
    "alumni 2019",
    "press",
    "Volunteer",
    "gala guest",
    "teacher; volunteer",
    "board friend, press",
)
YES = ("yes", "Y", "x", "asked by phone 12/2021", "TRUE")
NOTES = (
    "Met at the spring clean-up", "Prefers letters", 'Says "call me Bo"', "Left a message\nno answer so far",
    "Moved; the old address was Mill Lane", "Knows the ferry captain – worth asking", "Donated a canoe, 2017",
)  # fmt: skip


def write(folder: Path) -> Path:
    """Write the file, unless it is there."""
    path = folder / NAME
    if not path.exists():
        path.write_bytes(content())
    return path


def content() -> bytes:
    """The whole file, the same each time."""
    dice = random.Random(SEED)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([[TITLE], [], HEADINGS])
    writer.writerows(rows(dice))
    return text.getvalue().encode("cp1252", "replace")


def rows(dice: random.Random) -> list[list[str]]:
    """Everybody, in no particular order; what shows something stands in the first half."""
    pairs = list(itertools.product(names.FIRST, names.LAST))
    dice.shuffle(pairs)
    special = [*doubled(dice), *repeated(dice), *useless()]
    plain = [person(dice, number, *pairs[number]) for number in range(ROWS - len(special))]
    for row in special:
        plain.insert(dice.randrange(40, ROWS // 2), row)
    return plain


def person(dice: random.Random, number: int, first: str, last: str) -> list[str]:
    """One row with the usual gaps and slips."""
    if dice.random() < 0.04:
        first, last = dice.choice(WESTERN)
    local = f"{slug(first)}.{slug(last)}{number}"
    email = f"{local}@{dice.choice(names.MAIL_DOMAINS)}"
    luck = dice.random()
    if luck < 0.012:
        email = dice.choice(BAD_EMAILS).format(local)
    elif luck < 0.05:
        email = dice.choice(ODD_EMAILS).format(email, f"{first} {last}")
    elif luck < 0.13:
        email = ""
    elif luck < 0.16:
        email = email.upper()
    firm = f"{dice.choice(names.PLACES)} {dice.choice(names.SHOPS)}" if dice.random() < 0.12 else ""
    if firm and dice.random() < 0.2:
        first = last = ""
    address = ["", "", "", "", ""]
    if dice.random() < 0.7:
        country = dice.choice(["USA", "United States", "US", ""])
        address = [f"{1 + number} {dice.choice(names.STREETS)}", *dice.choice(names.TOWNS), country]
    luck = dice.random()
    reach = phone(dice, number)
    joined = f"{dice.randrange(1, 13)}/{dice.randrange(1, 28)}/{dice.randrange(2009, 2026)}"
    return [
        f"M{10_000 + number}", spaced(dice, first), last.upper() if dice.random() < 0.02 else last, firm, email,
        reach if luck < 0.5 else "", reach if luck > 0.75 else "", *address,
        dice.choice(TAGS) if dice.random() < 0.15 else "",
        dice.choice(YES) if dice.random() < 0.02 else dice.choice(["no", "", "", ""]), joined,
        dice.choice(NOTES) if dice.random() < 0.1 else "",
    ]  # fmt: skip


def phone(dice: random.Random, number: int) -> str:
    """A number that nobody has, as people write it; now and then something that is none."""
    if dice.random() < 0.015:
        return dice.choice(BAD_PHONES)
    return dice.choice(PHONES).format(AREA_CODES[number // 100 % len(AREA_CODES)], f"{number % 100:02d}")


def spaced(dice: random.Random, text: str) -> str:
    """With a blank too many, as cells have that were typed by hand."""
    return f" {text} " if text and dice.random() < 0.03 else text


def doubled(dice: random.Random) -> list[list[str]]:
    """The three people who are in the file twice under different addresses, and without a number of their own."""
    found = []
    for index, pair in enumerate(DOUBLES):
        street, number = f"{9_001 + index} {names.STREETS[index]}", 90 + index
        for first, last, email in pair:
            call = PHONES[0] if first == pair[0][0] else PHONES[2]
            reach = call.format(AREA_CODES[-1], f"{number % 100:02d}")
            found.append(
                ["", first, last, "", email, reach, "", street, "Portland", "OR", "97201", "USA", "", "", "", ""]
            )
    return found


def repeated(dice: random.Random) -> list[list[str]]:
    """People who come twice with the same address, the second time with a note; and a couple with one mailbox."""
    found = []
    for index in range(20):
        first, last = f"{names.FIRST[index]}", f"{names.LAST[-1 - index]}-Hart"
        email = f"{slug(first)}.{slug(last)}@{names.MAIL_DOMAINS[index % 5]}"
        for title, comment in ((email, ""), (email.upper(), "Came to the gala in 2024")):
            found.append(["", first, last, "", title, *[""] * 10, comment])
    for first in ("Bernard", "Odile"):
        found.append(["", first, "Marchetti", "", "the.marchettis@oakpost.test", *[""] * 11])
    return found


def useless() -> list[list[str]]:
    """Rows of which nothing can be used."""
    return [
        ["", "", "", "", "unknown@", "", "", "", "", "", "", "", "", "", "", "Card was wet, could not read the name"],
        ["", "", "", "", "", "n/a", "", "12 River Road", "Salem", "OR", "97301", "", "", "", "", ""],
        ["", "", "", "", "", "", "", "", "", "", "", "", "press", "", "", "???"],
    ]
