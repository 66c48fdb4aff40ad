"""The vendor's refusals: always with status 200, in an envelope whose parts come together or alone."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from tests.fakes.acts import Refusal

NOT_AUTHORIZED = "user not authorized for this api call."
DRIVER = "[Microsoft][ODBC SQL Server Driver][SQL Server]"
NO_BYTES = "invalid: Array cannot be null. Parameter name: bytes"


class Problem(Refusal):
    """A refusal: the `reason` of the envelope, the text of `<error>`, or both."""

    def __init__(self, reason: str = "", error: str = "") -> None:
        super().__init__(error or reason)
        self.reason, self.error = reason, error

    def document(self) -> str:
        return f"<result>{self._envelope()}{self._error()}</result>"

    def _envelope(self) -> str:
        # In this order, and with double quotes: so the vendor prints its failures.
        return f'<field name="success" reason={quoteattr(self.reason)} id="success" value="false"/>' * bool(self.reason)

    def _error(self) -> str:
        return f"<error>{escape(self.error)}</error>" * bool(self.error)


def sql_error(text: str) -> Problem:
    """What SQL Server says, behind a reason that has nothing to do with it."""
    return Problem(NOT_AUTHORIZED, DRIVER + text)


def syntax(near: str) -> Problem:
    return sql_error(f"Incorrect syntax near '{near}'.")


def unclosed(text: str) -> Problem:
    return sql_error(f"Unclosed quotation mark after the character string '{text[:60]}'.")


def not_supplied(procedure: str, name: str) -> Problem:
    return sql_error(f"Procedure or function '{procedure}' expects parameter '@{name}', which was not supplied.")


def not_allowed() -> Problem:
    return Problem(error="SQL statement not allowed")


def invalid_column(name: str) -> Problem:
    return sql_error(f"Invalid column name '{name}'.")


def invalid_object(name: str) -> Problem:
    return sql_error(f"Invalid object name '{name}'.")


def no_null(table: str, column: str) -> Problem:
    return sql_error(
        f"Cannot insert the value NULL into column '{column}', table '{table}'; column does not allow nulls."
    )
