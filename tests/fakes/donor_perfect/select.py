"""One SELECT, carried out: names and types are checked as SQL Server checks them, then SQLite does the work."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from tests.fakes.donor_perfect import grammar, tables
from tests.fakes.donor_perfect.errors import Problem, invalid_column, invalid_object, not_allowed, sql_error
from tests.fakes.donor_perfect.params import NUMBER
from tests.fakes.donor_perfect.tables import Kind
from tests.fakes.donor_perfect.values import narrowed, read_date

COMPARING = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like)
INHERITING = (exp.Coalesce, exp.Sum, exp.Max, exp.Min, exp.Avg, exp.Paren, exp.Neg)
UNGROUPED = (
    "Column '{}' is invalid in the select list because it is not contained in either an aggregate function or the "
    "GROUP BY clause."
)


@dataclass(frozen=True, slots=True)
class Found:
    """The names and kinds of an answer's columns, and its rows."""

    columns: list[tuple[str, Kind | None]]
    rows: list[tuple[Any, ...]]


def run(database: sqlite3.Connection, text: str, most: int) -> Found:
    """Carry out a statement; of more rows than `most` the rest is cut off, without a word."""
    tree = grammar.read(text)
    query = Query(tree)
    query.check()
    try:
        cursor = database.execute(tree.sql(dialect="sqlite"))
        rows = cursor.fetchmany(most) if most else cursor.fetchall()
    except sqlite3.Error as error:
        raise sql_error(str(error)) from None
    return Found(query.columns, rows)


class Query:
    """A statement whose tables and columns are looked up, and whose literals are made what the columns are."""

    def __init__(self, tree: exp.Select) -> None:
        self.tree = tree
        self.tables: dict[str, str] = {}
        for table in tree.find_all(exp.Table):
            name = self.table_name(table)
            alias = (table.alias or table.name).lower()
            if alias in self.tables:
                raise sql_error(f"The correlation name '{alias}' is specified multiple times in a FROM clause.")
            self.tables[alias] = name
            table.set("this", exp.to_identifier(tables.inside(name)))
            table.set("db", None)
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
        self.aliases = {each.alias.lower() for each in tree.expressions if isinstance(each, exp.Alias)}
        self.columns: list[tuple[str, Kind | None]] = []

    def table_name(self, table: exp.Table) -> str:
        place = table.db.lower()
        name = f"{place}.{table.name}".lower() if place and place != "dbo" else table.name.lower()
        if table.catalog or name not in tables.PLANS:
            raise invalid_object(table.sql(dialect="tsql").partition(" AS ")[0])
        return name

    def check(self) -> None:
        for column in list(self.tree.find_all(exp.Column)):
            self.resolve(column)
        for each in self.tree.expressions:
            self.columns += self.shown(each)
        self.check_groups()
        for part in list(self.tree.find_all(*COMPARING, exp.Coalesce)):
            self.fit_literals(part)
        for text in list(self.tree.find_all(exp.National)):
            text.replace(exp.Literal.string(text.name))

    def resolve(self, column: exp.Column) -> None:
        """The table of a column, written into it; an alias of the list may stand in ORDER BY only."""
        if isinstance(column.this, exp.Star):
            if column.table.lower() not in self.tables:
                raise invalid_object(column.table)
            return
        if column.table:
            if (found := self.tables.get(column.table.lower())) is None:
                raise sql_error(f'The multi-part identifier "{column.table}.{column.name}" could not be bound.')
            if column.name.lower() not in tables.folded(found):
                raise invalid_column(column.name)
            return
        owners = [alias for alias, table in self.tables.items() if column.name.lower() in tables.folded(table)]
        if column.name.lower() in self.aliases and column.find_ancestor(exp.Order):
            return
        if not owners:
            raise invalid_column(column.name)
        if len(owners) > 1:
            raise sql_error(f"Ambiguous column name '{column.name}'.")
        column.set("table", exp.to_identifier(owners[0]))

    def shown(self, each: exp.Expression) -> list[tuple[str, Kind | None]]:
        """The names and kinds that one entry of the list brings."""
        if isinstance(each, exp.Star) or (isinstance(each, exp.Column) and isinstance(each.this, exp.Star)):
            alias = each.table.lower() if isinstance(each, exp.Column) else ""
            wanted = [self.tables[alias]] if alias else list(self.tables.values())
            return [pair for table in wanted for pair in tables.columns(table).items()]
        if isinstance(each, exp.Alias):
            return [(each.alias, self.kind(each.this))]
        return [(each.name if isinstance(each, exp.Column) else "", self.kind(each))]

    def kind(self, part: exp.Expression | None) -> Kind | None:
        """What an expression is, or None where it has no kind of a column's."""
        if isinstance(part, exp.Column):
            table = self.tables.get(part.table.lower(), "")
            return tables.columns(table)[tables.folded(table)[part.name.lower()]] if table else None
        if isinstance(part, INHERITING):
            inner = [part.this, *part.expressions]
            return next((kind for each in inner if (kind := self.kind(each)) is not None), None)
        if isinstance(part, exp.Count):
            return "int"
        return None

    def check_groups(self) -> None:
        """SQLite would take any row's value where SQL Server wants a column grouped."""
        group = self.tree.args.get("group")
        if group is None and not any(each.find(*grammar.AGGREGATES) for each in self.tree.expressions):
            return
        grouped = {each.sql().lower() for each in (group.expressions if group else ())}
        for each in self.tree.expressions:
            if isinstance(each, exp.Star):
                raise sql_error(UNGROUPED.format("*"))
            for column in each.find_all(exp.Column):
                is_inside = column.find_ancestor(*grammar.AGGREGATES)
                if not is_inside and column.sql().lower() not in grouped:
                    raise sql_error(UNGROUPED.format(f"{self.tables[column.table.lower()]}.{column.name}"))

    def fit_literals(self, part: Any) -> None:
        """Make literals what the column beside them is, or refuse as SQL Server does."""
        if isinstance(part, exp.In) and part.args.get("query"):
            raise not_allowed()
        sides = [side for side in part.args.values() for side in (side if isinstance(side, list) else [side])]
        sides = [side for side in sides if isinstance(side, exp.Expression)]
        kind = next((kind for side in sides if (kind := self.kind(side)) is not None), None)
        if kind is None:
            return
        if isinstance(part, exp.Like) and kind in ("date", "bit"):
            raise not_allowed()
        for side in sides:
            # LIKE makes text of a number instead.
            if isinstance(side, exp.Literal | exp.National) and not (isinstance(part, exp.Like) and kind == "int"):
                side.replace(fitted(side, kind))


def fitted(literal: exp.Expression, kind: Kind) -> exp.Expression:
    """This literal, as it compares with a column of that kind."""
    is_unicode = isinstance(literal, exp.National)
    is_text, text = is_unicode or bool(literal.args.get("is_string")), literal.name
    if kind == "date":
        if not is_text:
            raise not_allowed()
        return exp.Literal.string(read_date(text))
    if kind in ("int", "money", "bit"):
        if NUMBER.fullmatch(text.strip()):
            return exp.Literal.number(text.strip())
        raise conversion(text, "int" if kind == "int" else "money")
    if not is_text:
        # SQL Server would make numbers of the column, and stumble over the first row that is none.
        raise conversion(text, "int")
    return exp.Literal.string(text if is_unicode else narrowed(text))


def conversion(text: str, kind: str) -> Problem:
    return sql_error(f"Conversion failed when converting the nvarchar value '{text[:60]}' to data type {kind}.")
