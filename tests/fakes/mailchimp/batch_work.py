"""How a batch is worked through, in the background, and what one is."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.fakes.mailchimp.call import Call


@dataclass(slots=True)
class Batch:
    """One submitted batch."""

    id: str
    submitted_at: int
    total: int
    status: str = "pending"
    errored: int = 0
    completed_at: int = 0
    results: list[dict[str, Any]] = field(default_factory=list)
    stopped: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def work(call: Call, batch: Batch, operations: list[dict[str, Any]]) -> None:
    """Walk through all five states."""
    sandbox, pause = call.sandbox, threading.Event()
    for status in ("preprocessing", "started"):
        pause.wait(sandbox.options.batch_step_s)
        batch.status = status
    for operation in operations:
        if batch.stopped:
            return
        carry_out(call, batch, operation)
    pause.wait(sandbox.options.batch_step_s)
    batch.status = "finalizing"
    pause.wait(sandbox.options.batch_step_s)
    batch.completed_at = int(sandbox.now())
    batch.status = "finished"
    sandbox.account_changed(call.account)
    if not batch.stopped:
        sandbox.telling(call.account).batch_done(batch.id)


def carry_out(call: Call, batch: Batch, operation: dict[str, Any]) -> None:
    """One operation; a GET without a count reads all its pages, each counting as an operation."""
    query = {key: str(value) for key, value in dict(operation.get("params") or {}).items()}
    path = "/" + operation["path"].strip("/").removeprefix("3.0/")
    one = Call(
        call.sandbox, call.account, operation["method"], path, query,
        operation.get("body", "").encode(), call.host_url, call.ip,
    )  # fmt: skip
    walks = operation["method"] == "GET" and "count" not in query
    while True:
        status, content = call.sandbox.perform(one)
        text = json.dumps(content) if content is not None else ""
        number = operation.get("operation_id")
        batch.results.append({"status_code": status, "operation_id": number, "response": text})
        batch.errored += status >= 400
        read_so_far = int(one.query.get("offset", 0)) + 10
        if not walks or status >= 400 or read_so_far >= (content or {}).get("total_items", 0):
            return
        batch.total += 1
        one.query = {**one.query, "offset": str(read_so_far)}
