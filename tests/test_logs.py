"""The log is one JSON object a line, and holds neither keys nor people's addresses."""

import json
import logging
import sys

import pytest

from config.logs import JsonFormatter

HOOK_KEY = "Qz7_" + "k" * 39


def line(message: str, *args: object, error: Exception | None = None, **extra: object) -> dict[str, object]:
    """What is written for one message, with an exception and with extras."""
    found = None
    try:
        if error:
            raise error
    except Exception:  # noqa: BLE001  (made above)
        found = sys.exc_info()
    record = logging.LogRecord("django.request", logging.ERROR, __file__, 1, message, args, found)
    vars(record).update(extra)
    written = JsonFormatter().format(record)
    assert "\n" not in written
    return dict(json.loads(written))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Internal Server Error: /hooks/mailchimp/{HOOK_KEY}/", HOOK_KEY),
        ("Internal Server Error: /admin/forgotten/MQ/cxyz12-0a1b2c3d/", "cxyz12-0a1b2c3d"),
        ("Forbidden (CSRF token missing.): /join/w1nbH-8Yk_q3/", "w1nbH"),
        ("GET https://api.test/?api_key=Qz123 failed", "Qz123"),
        ('Key (tenant_id, address_key)=(1, ana.o\'ruiz+news@rivermail.test) already exists: "x"', "rivermail"),
        ("UniqueViolation: twice\nDETAIL:  Key (tenant_id, name)=(1, Ruiz) already exists.", "Ruiz"),
        (
            "NotNullViolation\nDETAIL:  Failing row contains (5,\n\nmet at\nthe Ruiz home).\n\nThe above exception",
            "Ruiz",
        ),
    ],
)
def test_no_key_and_no_address_is_in_a_message_an_exception_or_an_extra(text: str, secret: str) -> None:
    for written in (line("%s", text), line("failed", error=ValueError(text)), line("failed", why=text)):
        assert secret not in json.dumps(written)
        assert "…" in json.dumps(written, ensure_ascii=False)


def test_what_helps_to_find_the_fault_stays() -> None:
    written = line("Internal Server Error: %s", "/admin/contacts/contact/", error=KeyError("brake"), status_code=500)
    assert written["message"] == "Internal Server Error: /admin/contacts/contact/"
    assert written["status_code"] == 500
    assert "KeyError: 'brake'" in str(written["exception"])


def test_what_a_database_quotes_of_a_row_ends_where_the_next_exception_begins() -> None:
    text = (
        "UniqueViolation: tag_name_once\nDETAIL:  Key (name)=(Ruiz) exists.\n\nThe above exception was the cause of: x"
    )
    said = str(line("%s", text)["message"])
    assert "tag_name_once" in said and "The above exception was the cause of: x" in said and "Ruiz" not in said
