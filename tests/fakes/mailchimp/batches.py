"""Batch operations: accepted at once, worked through in the background (batch_work.py)."""

from __future__ import annotations

import threading
from typing import Any

from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.batch_results import result_url
from tests.fakes.mailchimp.batch_work import Batch, work
from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import Problem, not_found
from tests.fakes.mailchimp.paging import page
from tests.fakes.mailchimp.state import Account, iso

SCHEMA = "Batches/Instance"
WEEK = 7 * 86_400
OPERATION = s.shape(
    {
        "method": s.one_of("GET", "POST", "PUT", "PATCH", "DELETE"),
        "path": s.text(),
        "params": s.mapping,
        "body": s.text(),
        "operation_id": s.text(),
    },
    required=("method", "path"),
)
POST = s.shape({"operations": s.list_of(OPERATION)}, required=("operations",))


def show(call: Call, batch: Batch) -> dict[str, Any]:
    url = result_url(call, batch) if batch.status == "finished" else ""
    return {
        "id": batch.id,
        "status": batch.status,
        "total_operations": batch.total,
        "finished_operations": len(batch.results),
        "errored_operations": batch.errored,
        "submitted_at": iso(batch.submitted_at),
        "completed_at": iso(batch.completed_at),
        "response_body_url": url,
    }


def index(call: Call) -> Answer:
    recent = [each for each in call.account.batches.values() if each.submitted_at > call.now - WEEK]
    rows, total = page(call, recent[::-1], lambda batch: show(call, batch))
    return Answer({"batches": rows, "total_items": total}, "Batches/Collection")


def create(call: Call) -> Answer:
    operations = call.body(POST)["operations"]
    waiting = sum(each.status != "finished" and not each.stopped for each in call.account.batches.values())
    if waiting >= (most := call.sandbox.options.pending_batches):
        detail = f"You have more than {most} pending batches."
        raise Problem(429, "Too Many Requests", detail)
    batch = Batch(call.account.next_id("batch"), call.now, len(operations))
    call.account.batches[batch.id] = batch
    threading.Thread(target=work, args=(call, batch, operations), daemon=True).start()
    return Answer(show(call, batch), SCHEMA)


def read(call: Call, batch_id: str) -> Answer:
    return Answer(show(call, the_batch(call.account, batch_id)), SCHEMA)


def delete(call: Call, batch_id: str) -> Answer:
    """Stop it; what was already done stays done."""
    the_batch(call.account, batch_id).stopped = True
    del call.account.batches[batch_id]
    return Answer()


def the_batch(account: Account, batch_id: str) -> Batch:
    if batch := account.batches.get(batch_id):
        return batch
    raise not_found()


ROUTES = [
    ("GET", "/batches", index),
    ("POST", "/batches", create),
    ("GET", "/batches/<batch_id>", read),
    ("DELETE", "/batches/<batch_id>", delete),
]
