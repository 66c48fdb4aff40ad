"""Files of text: in which encoding, divided by what, and its records one after the other without holding the file."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from charset_normalizer import from_bytes

from contacts.importing.pieces import Opener
from contacts.importing.trouble import Unreadable

# What staff may choose if letters look wrong. "western" reads UTF-8 where it is UTF-8 and Windows-1252 elsewhere: files
# that were put together from several are like that.
ENCODINGS = {
    "utf-8": "UTF-8 (most programs today)",
    "western": "Windows or Latin-1 (Western Europe, older Excel)",
    "utf-16": "UTF-16 (“Unicode text” of Excel)",
    "mac_roman": "Macintosh (older Macs)",
    "cp1250": "Windows (Central Europe)",
    "cp1251": "Windows (Cyrillic)",
    "cp1253": "Windows (Greek)",
    "cp437": "DOS (United States)",
    "cp850": "DOS (Western Europe)",
    "shift_jis": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
}
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
# The guesser confuses the Latin ones with each other; only other scripts are left to it.
OTHER_SCRIPTS = ["cp1251", "cp1253", "shift_jis", "gb18030"]
LOOKED_AT = 60
BROKEN_QUOTE = (
    'Near row {}, a quotation mark (") opens a cell and nothing closes it. Open the file in a spreadsheet program, '
    "put the cell right, and save it again."
)

NOT_SO_WRITTEN = "The letters of the file are not written in that way. Choose another way to read them."


def _as_windows(problem: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8 are read as Windows-1252."""
    assert isinstance(problem, UnicodeDecodeError)  # noqa: S101 - used for decoding only
    return problem.object[problem.start : problem.end].decode("cp1252", "replace"), problem.end


codecs.register_error("almoner_windows", _as_windows)


def encoding_of(open_file: Opener) -> str:
    """A byte order mark decides; then UTF-8 if all of the file is; then what it looks like; else Windows-1252."""
    with open_file() as file:
        start = file.read(64 * 1024)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")()
        odd, chunk = b"", start
        while chunk:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                odd = chunk
                break
            chunk = file.read(64 * 1024)
        else:
            return "utf-8"
    lines = b"\n".join([line for line in odd.splitlines() if not line.isascii()][:400])
    guess = from_bytes(lines, cp_isolation=["cp1252", *OTHER_SCRIPTS]).best()
    return guess.encoding if guess and guess.encoding in OTHER_SCRIPTS else "western"


def lines(open_file: Opener, encoding: str) -> Iterator[str]:
    """Lines with their ends, without NULs, which no database takes."""
    name, errors = {"utf-8": ("utf-8-sig", "replace"), "western": ("utf-8-sig", "almoner_windows")}.get(
        encoding, (encoding if encoding in ENCODINGS else "utf-8-sig", "replace")
    )
    with io.TextIOWrapper(open_file(), encoding=name, errors=errors, newline="") as text:
        for line in text:
            yield line.replace("\0", "")


def records(open_file: Opener, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Every record, empty ones too: a spreadsheet numbers them as well."""
    number = 0
    reader = csv.reader(lines(open_file, encoding), delimiter=delimiter)
    while True:
        number += 1
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise Unreadable(BROKEN_QUOTE.format(f"{number:,}")) from None
        except UnicodeError:
            raise Unreadable(NOT_SO_WRITTEN) from None


def delimiter_of(open_file: Opener, encoding: str) -> str:
    """The one that divides the first records most evenly; a file of one column has none, and a comma does no harm."""
    best, chosen = (0.0, 0), ","
    for delimiter in DELIMITERS:
        found = list(islice(records(open_file, encoding, delimiter), LOOKED_AT))
        if found and found[0][:1] == [f"sep={delimiter}"] or found and found[0][:1] == ["sep="] and len(found[0]) == 2:
            return delimiter  # Excel says so itself
        widths = Counter(len(cells) for cells in found if len(cells) > 1)
        if not widths:
            continue
        width, rows = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
        score = (rows / sum(1 for cells in found if any(cells)), width)
        if score > best:
            best, chosen = score, delimiter
    return chosen
