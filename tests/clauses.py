"""Which test shows which clause; `python -m tests.clauses` writes docs/clauses.md.

L: synchronized lists. D: DonorPerfect. M: milestones. T: thank-yous and the API of the video app. O: the
donation helper. A: the donors API.
"""

import ast
import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "clauses.md"
NAMED = re.compile(r"(?:^|_)([LDMTOA]\d+a?)(?=_|$)")

# Elsewhere T is the letter of another list, of organizations kept apart; D and M mean nothing there.
WHERE_T_COUNTS = (
    "tests/tasks_app/",
    "tests/integrations/test_hooks",
    "tests/fakes_tests/test_video_app",
    "tests/journeys/",
)
OF_OTHERS = ("tests/contacts/", "tests/tenancy/")


def counts(clause: str, where: str) -> bool:
    """Whether a test in this file that names the clause means one of ours."""
    if clause[0] == "T":
        return where.startswith(WHERE_T_COUNTS)
    if clause[0] == "A":
        return where.startswith("tests/gifts/test_donors_")
    return clause[0] == "L" or not where.startswith(OF_OTHERS)


# What is promised, in a few words each.
CLAUSES = {
    "L1": "Connect by the vendor's own page; cancelled, replayed or forged answers leave “Not connected” and say why.",
    "L2": "Access that expires is renewed by itself; a revoked grant asks to reconnect, and nothing queued is lost.",
    "L3": "The account's organization contact information is shown for review and saved.",
    "L4": "Disconnect stops, erases the tokens and keeps the history.",
    "L5": "Sync shows a preview without a single write, runs in the background, ends in a report, never runs twice.",
    "L6": "Only contacts with a valid primary address and without Do Not Contact are synchronized; the others say why.",
    "L7": "Do Not Contact counts everywhere, or on one list.",
    "L8": "Contacts who share an address are one entry there, active while any of them may be.",
    "L9": "A list that is added or flagged is made there, with its members.",
    "L10": "A list whose flag is cleared is left by its members there, and stays.",
    "L11": "A renamed list is renamed there.",
    "L12": "A contact who is put on a list is put on it there.",
    "L13": "A contact who is added with Do Not Contact is not sent.",
    "L14": "Do Not Contact unsubscribes there, and takes off the list.",
    "L15": "Do Not Contact cleared: back on the lists, or asked where only the person may undo it.",
    "L16": "A change of name or address changes the same entry; an old address never stays subscribed.",
    "L17": "Whoever leaves a list is taken off it there; on no list they are disabled, never unsubscribed.",
    "L18": "A deleted list is deleted there.",
    "L19": "A deleted or merged contact is taken off every list there.",
    "L20": "Without a valid address: off the lists, disabled.",
    "L21": "An unsubscribe there is Do Not Contact here, and is not echoed.",
    "L22": "A bounced address is marked; changed names and addresses end as the tenant chose, field by field.",
    "L23": "Where no message tells, who left is asked for, every hour and in full every day.",
    "L24": "Lists as tags of one audience, or as an audience each.",
    "L24a": "A background write never subscribes anybody again.",
    "L25": "Every change is on record in its own transaction; nothing is lost by a crash, and repeating does no harm.",
    "L26": "What is sent is the state as it is when it is sent; many changes become one.",
    "L27": "Who is refused is set aside with the reason and Retry; the others go on.",
    "L28": "Trouble on the way is tried again with back-off; a revoked credential pauses, and its admins hear once.",
    "L29": "Few calls, never more than the vendor allows; opt-outs and single edits first, then fair shares.",
    "L30": "A contact's page shows what was sent, when, why, and the answer.",
    "L31": "Check shows every difference, Repair sends our side of the chosen rows.",
    "L32": "The brake asks before too many are taken off a list.",
    "L33": "Who was not put there by us is left alone, unless adopted.",
    "L34": "Why: each contact's state, what was sent last, the reason if not, and the button that mends it.",
    "L35": "The consent ledger; a person's own opt-out beats everything.",
    "L36": "Silence is an alarm, on the first page and by mail, once, with an all-clear.",
    "L37": "A run can be taken back for 30 days, through a preview; an own opt-out is never undone.",
    "D1": "A DonorPerfect key is tried at once, and the answer shown.",
    "D2": "Once stored, nobody sees the key again, in no page, log or export.",
    "D3": "Keys are encrypted with AES-256, bound to their row, and can be changed without a break.",
    "D4": "Four switches, off at first; what happened before one was turned on is left alone.",
    "D5": "New gifts are found by polling: none missed, none twice, whatever is killed, edited, moved or deleted.",
    "D6": "For each a thank-you or a note, as the switch is set, with date, amount and comment.",
    "D7": "The donor becomes a contact, or is one: by donor number, then email, then phone; never twice.",
    "D8": "A donor who wants no mail is skipped: nothing is made, and the report says so.",
    "D9": "Of a donor name, email and phone are stored; of a gift date, amount and comment; never payment details.",
    "D10": "A video sent, watched or replied to is saved as an interaction on the donor.",
    "D11": "Only for contacts with a donor's number, and what was sent after the switch; others are listed, with why.",
    "D12": "Exactly one interaction for each event, whatever is tried again.",
    "D13": "Nothing of a donor is read for it.",
    "M1": "A number of gifts is reached.",
    "M2": "A total of lifetime giving is reached, also in small gifts.",
    "M3": "A total since the start of the fiscal year is reached, once in each.",
    "M4": "So many calendar years of giving in a row are reached.",
    "M5": "Each threshold counts once for a donor, whatever is imported again, edited, or done by two workers at once.",
    "M6": "A gift that passes several thresholds is one thank-you, which names the highest.",
    "M7": "A rule that is switched on, and history that comes in, ask nobody to thank for what was reached before.",
    "M8": "Gifts of every source count; what was refunded or deleted does not, and its thank-you is withdrawn.",
    "M9": "Amounts are decimals; years and months are those of the gift's date.",
    "T1": "A thank-you says whom, why, by when and for whom; lists, filters, bulk.",
    "T2": "A note by email, with merge fields and a delay; never to anybody with Do Not Contact.",
    "T3": "A weekly digest, and a mail on assignment, for whoever wants them.",
    "T4": "The API of the video app, with a token that is shown once, kept as a hash, and can be revoked.",
    "T5": "Thank-yous are listed, read, claimed, and reported sent, watched, replied or dismissed.",
    "T6": "Contacts are looked up and added without duplicates.",
    "T7": "Every write is done once, by its key; events are counted once, in whatever order they come.",
    "T8": "What changes is told to the addresses that were registered: signed, tried again, listed.",
    "T9": "OpenAPI 3.1 and a page to try it; problems are told as problem details.",
    "A1": "A donor is created with an id of ours; an id in the body is an error.",
    "A2": "One donor is read, as a whole or by a projection.",
    "A3": "PUT replaces a donor.",
    "A4": "PATCH takes the six operations of RFC 6902, all or nothing.",
    "A5": "A donor is deleted, unless gifts or pledges depend on it.",
    "A6": "Search by names, ids and places, in pages that neither repeat nor miss.",
    "A7": "All totals and automatic clubs are recalculated on demand.",
    "A8": "Up to 100 patches and deletions in one batch, each on its own.",
    "A9": "The source's status codes, and no 500 on any input; another tenant's donor is nobody's.",
    "A10": "All fields of the source; totals, clubs and versions are read-only, always in the same way.",
    "A11": "A locked donor is not changed; the version rises by one, and an older one in a PUT is 409.",
    "A12": "A donor refers to a contact or organization of its tenant; a reference to nothing is 409.",
    "A13": "Donor clubs by what was given, unless set by hand; every change is kept.",
    "A14": "Totals are right at once, and equal a recount from nothing.",
    "O1": "One call finds or makes the person, tags them and records the donation; JSON in, HAL out.",
    "O2": "Recipients and a way to reach the person are needed; the date may be past, identifiers are unique.",
    "O3": "People are matched by email address and phone number; numbers move, mobile-only records are merged.",
    "O4": "An existing person is updated with what is sent, and keeps what is not.",
    "O5": "Email status: new people are subscribed, others unchanged unless “subscribed” is sent; no other word.",
    "O6": "Mobile status: nobody is subscribed unless “subscribed” is sent.",
    "O7": "In a network subscriptions to email travel up, those to text messages if the setting says so; nothing else.",
    "O8": "Tags are added, then removed; only those that there are.",
    "O9": "A background request is answered at once, and what fails afterwards is on a page for staff.",
    "O10": "Without a key: the same work, an answer that tells nothing, limits, CORS for this endpoint alone.",
    "O11": "Donations are not told apart by person, and only pages that were made through the API take them.",
    "O12": "The answer has everything that the document shows; amounts are texts.",
    "O13": "Recurrence and referrer data are stored and shown.",
    "O14": "The resources around it: entry point, pages, donations, people, tags; paging as in OSDI.",
    "O15": "A donation is a gift: totals, clubs and milestones follow.",
}


def tests_of(path: Path) -> list[str]:
    """The names of the tests in a file, in its order."""
    nodes = sorted(
        (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)), key=lambda n: n.lineno
    )
    return [node.name for node in nodes if node.name.startswith("test_")]


def named(name: str) -> list[str]:
    """The clauses that a test names."""
    return NAMED.findall(name.removeprefix("test"))


@cache
def found() -> dict[str, dict[str, list[str]]]:
    """{clause: {file: names of its tests}}."""
    everything: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        where = str(path.relative_to(ROOT))
        for name in tests_of(path):
            for clause in named(name):
                if counts(clause, where):
                    everything[clause].setdefault(where, []).append(name)
    return everything


def table() -> str:
    """The document."""
    everything = found()
    lines = [
        "# Which test shows which clause", "",
        "The rules of list synchronization (L), DonorPerfect (D), milestones (M), thank-yous with their API (T), the",
        "donation helper (O) and the donors API (A), each with the tests that show it. A test's name is a sentence and",
        "names its clauses. Those in",
        "`tests/providers/contract.py` are run for every provider, and most of",
        "`tests/integrations/test_list_sync.py` for every vendor and way of modelling. Made by",
        "`python -m tests.clauses`; `tests/test_clauses.py` sees to it that no clause is without a test.", "",
        "| clause | what is promised | tests |", "| --- | --- | --- |",
    ]  # fmt: skip
    for clause, promise in CLAUSES.items():
        count = sum(map(len, everything.get(clause, {}).values()))
        lines.append(f"| [{clause}](#{clause.lower()}) | {promise} | {count} |")
    for clause, promise in CLAUSES.items():
        lines += ["", f"## {clause}", "", promise, ""]
        for path, names in everything.get(clause, {}).items():
            lines.append(f"- [{path.removeprefix('tests/')}](../{path})")
            lines += [f"  - `{name}`" for name in names]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table())
    missing = sorted(CLAUSES.keys() - found().keys())
    sys.exit(f"No test names {', '.join(missing)}." if missing else 0)
