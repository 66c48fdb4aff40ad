"""Which test shows which clause of list synchronization; `python -m tests.clauses` writes docs/clauses.md."""

import ast
import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "clauses.md"
NAMED = re.compile(r"(?:^|_)(L\d+a?)(?=_|$)")

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
        for name in tests_of(path):
            for clause in named(name):
                everything[clause].setdefault(str(path.relative_to(ROOT)), []).append(name)
    return everything


def table() -> str:
    """The document."""
    everything = found()
    lines = [
        "# Which test shows which clause", "",
        "The rules of list synchronization, each with the tests that show it. A test's name is a sentence and names",
        "its clauses. Those in `tests/providers/contract.py` are run for every provider, and most of",
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
