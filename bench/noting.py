"""Note the SQL of calls: each call's statements as one line of a file, which `bench.bare_site` then says again."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client


class Notes:
    """Every statement, with what goes into it and whether it stands in a transaction."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        given = [list(row) for row in params] if many else None if params is None else list(params)
        self.rows.append([sql, given, many, connection.in_atomic_block])
        return execute(sql, params, many, context)


def note_sql(calls: str, file: str) -> dict[str, float]:
    """Make all calls in this process. Returns {kind: statements a call}."""
    settings.ALLOWED_HOSTS = ["testserver"]
    client, statements, made = Client(), Counter[str](), Counter[str]()
    with Path(file).open("w") as out:
        for call in json.loads(Path(calls).read_text()):
            notes = Notes()
            content = "" if call["body"] is None else json.dumps(call["body"])
            with connection.execute_wrapper(notes):
                answer = client.generic(
                    call["method"], call["path"], content, "application/json", headers=call["headers"]
                )
            if answer.status_code != 200:
                raise RuntimeError(f"{call['kind']} was answered {answer.status_code}: {answer.content[:500]!r}")
            out.write(json.dumps(notes.rows, default=str) + "\n")  # decimals are texts: SQLite is given them so
            statements[call["kind"]] += len(notes.rows)
            made[call["kind"]] += 1
    return {kind: round(statements[kind] / made[kind], 1) for kind in made}
