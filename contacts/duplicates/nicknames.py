"""Short forms of first names that are no beginning of them, so that Bob at Robert's address is seen as one with him.

English ones, as far as they are common; a short form that merely leaves letters off needs no entry. Pure.
"""

FORMS = """
alexander alexandra: sandy sasha xander
andrew: drew
anthony: tony
barbara: babs
catherine katherine kathryn katharine: kate katie kathy cathy kit kitty
charles: charlie chuck
christina christine: tina
deborah: debbie
dorothy: dot dottie
edward edwin: ned ted teddy
eleanor: nell nora
elizabeth elisabeth: liz lizzie beth betsy betty bess libby
frances francis: fanny frank
frederick: freddie
gerald gerard: jerry
helen: nell nellie
henry: hank harry
isabella isabel: bella
jacob: jake
james: jim jimmy
jennifer: jenny
john jonathan: jack johnny
joseph: joe joey
lawrence: larry
louise: lulu
margaret: maggie meg peggy peg greta
mary: molly polly
matthew: matty
michael: mike mick mickey
patricia: patty pat tricia
patrick: paddy
richard: rick dick ricky
robert: bob bobby rob robbie
sarah: sally
stephen steven: steve
susan suzanne susanna: sue susie
theodore theodora: ted teddy
theresa teresa: terry tess
timothy: timmy
victoria: vicky tori
virginia: ginny
walter: wally
william: bill billy will willy
"""
LEAST = 3  # letters that a beginning must have to be a short form: Chris and Christopher, not Jo and Joyce


def read(text: str) -> dict[str, set[str]]:
    """{short form: whole names} from lines `whole names: short forms`."""
    found: dict[str, set[str]] = {}
    for line in text.strip().splitlines():
        whole, short = (part.split() for part in line.split(":"))
        for one in short:
            found.setdefault(one, set()).update(whole)
    return found


WHOLE = read(FORMS)


def is_short_for(short: str, whole: str) -> bool:
    """Whether one may be called by the other; both folded, one word each."""
    return (len(short) >= LEAST and whole.startswith(short)) or whole in WHOLE.get(short, ())


def may_be_one(one: str, other: str) -> bool:
    """Chris and Christopher, Bob and Robert, Kate and Kathy: whichever is the shorter, or both are."""
    if is_short_for(one, other) or is_short_for(other, one):
        return True
    return bool(WHOLE.get(one, set()) & WHOLE.get(other, set()))
