"""What of SQL Server's language the sandbox takes: one SELECT, of these parts and no others."""

from __future__ import annotations

import logging

from sqlglot import exp
from sqlglot.dialects.tsql import TSQL
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import Token

from tests.fakes.donor_perfect.errors import not_allowed, sql_error, syntax, unclosed

ALLOWED: tuple[type[exp.Expression], ...] = (
    exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Identifier, exp.Column, exp.Star, exp.Alias, exp.Literal,
    exp.National, exp.Where, exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE,
    exp.In, exp.Like, exp.Is, exp.Null, exp.Between, exp.Coalesce, exp.Count, exp.Sum, exp.Max, exp.Min, exp.Avg,
    exp.Order, exp.Ordered, exp.Limit, exp.LimitOptions, exp.Fetch, exp.Offset, exp.Join, exp.Group, exp.Having,
    exp.Distinct, exp.Neg, exp.Add, exp.Sub, exp.Mul,
)  # fmt: skip
AGGREGATES = (exp.Count, exp.Sum, exp.Max, exp.Min, exp.Avg)
FOREIGN = ("LIMIT", "==", "||", "`", "&&")  # other databases' words, which the parser is too kind to refuse
TWICE = "A TOP can not be used in the same query or sub-query as a OFFSET."

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


def read(text: str) -> exp.Select:
    """The statement as a tree; whatever SQL Server or DonorPerfect would not take is refused in their words."""
    try:
        tokens = TSQL().tokenize(text)
    except TokenError:
        raise unclosed(text.rpartition("'")[2]) from None
    words = [each.text.upper() for each in tokens]
    if not words or words[0] != "SELECT" or ";" in words[:-1]:
        raise not_allowed()
    check_words(text, tokens)
    try:
        found = TSQL().parse(text)[0]
    except ParseError as error:
        raise syntax(str(error.errors[0].get("highlight") or "")[:30]) from None
    if not isinstance(found, exp.Select):
        raise not_allowed()
    check(found)
    return found


def check_words(text: str, tokens: list[Token]) -> None:
    words = [each.text.upper() for each in tokens]
    for token, word in zip(tokens, words, strict=True):
        is_text = token.token_type.name.endswith("STRING")
        if not is_text and (word in FOREIGN or text[token.start : token.start + 2] in ("==", "||", "&&")):
            raise syntax(token.text)
    if "OFFSET" in words:
        if "TOP" in words:
            raise sql_error(TWICE)
        if "ORDER BY" not in words:
            raise syntax("OFFSET")
    elif "FETCH" in words:
        raise syntax("FETCH")


def check(found: exp.Select) -> None:
    """Only known parts, and only such uses of them as are documented or seen."""
    for part in found.walk():
        if not isinstance(part, ALLOWED) or (isinstance(part, exp.Select) and part is not found):
            raise not_allowed()
        if isinstance(part, exp.LimitOptions) and any(part.args.get(each) for each in ("percent", "with_ties")):
            raise not_allowed()
        if isinstance(part, exp.Join):
            check_join(part)
    if found.args.get("from_") is None and found.args.get("from") is None:
        raise not_allowed()
    if any(found.args.get(each) for each in ("into", "with", "with_", "windows", "qualify", "laterals", "pivots")):
        raise not_allowed()


def check_join(join: exp.Join) -> None:
    if join.args.get("using") or join.method or (join.side or "").upper() not in ("", "LEFT"):
        raise not_allowed()
    if (join.kind or "").upper() not in ("", "INNER", "OUTER"):
        raise not_allowed()
    is_comma = not (join.side or join.kind)
    if not join.args.get("on") and not is_comma:
        raise syntax("JOIN")
