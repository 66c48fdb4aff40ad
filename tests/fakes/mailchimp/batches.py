"""Batch operations: accepted at once, worked through in the background, results in a tar.gz."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import random
import secrets
import tarfile
import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import Problem, not_found
from tests.fakes.mailchimp.paging import page
from tests.fakes.mailchimp.state import Account, iso

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox

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
# Signs result links; a restart makes the old ones worthless, as ten minutes would.
LINK_KEY = secrets.token_bytes(16)


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


# -- the work -----------------------------------------------------------------------------------


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


# -- the result ---------------------------------------------------------------------------------


def result_url(call: Call, batch: Batch) -> str:
    """A link that works for ten minutes; reading the batch again gives a new one."""
    expires = int(call.sandbox.now() + call.sandbox.options.batch_link_s)
    mark = sign(call.account.login, batch.id, expires)
    file = f"{call.account.login}/{batch.id}-response.tar.gz"
    return f"{call.host_url}batch-results/{file}?Expires={expires}&Signature={mark}"


def sign(login: str, batch_id: str, expires: int) -> str:
    return hmac.new(LINK_KEY, f"{login}/{batch_id}/{expires}".encode(), hashlib.sha256).hexdigest()[:40]


def download(sandbox: MailchimpSandbox, request: Request) -> Response:
    """The file behind a link, which needs no credentials."""
    login, _, name = request.path.removeprefix("/batch-results/").partition("/")
    batch_id = name.partition("-")[0]
    account = sandbox.accounts.get(login)
    batch = account.batches.get(batch_id) if account else None
    expires = request.args.get("Expires", 0, type=int)
    genuine = hmac.compare_digest(request.args.get("Signature", ""), sign(login, batch_id, expires))
    if not batch or not genuine:
        return denied("SignatureDoesNotMatch")
    if expires < sandbox.now():
        return denied("AccessDenied: Request has expired")
    return Response(archive(batch), content_type="application/x-gzip")


def denied(code: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code></Error>'
    return Response(text, 403, content_type="application/xml")


def archive(batch: Batch) -> bytes:
    """A leading "./" entry, then files of results in no order."""
    results = list(batch.results)
    random.Random(batch.id).shuffle(results)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        folder = tarfile.TarInfo("./")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        for start in range(0, max(1, len(results)), 500):
            content = json.dumps(results[start : start + 500]).encode()
            entry = tarfile.TarInfo(f"./{batch.id}-{start // 500}.json")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return file.getvalue()


ROUTES = [
    ("GET", "/batches", index),
    ("POST", "/batches", create),
    ("GET", "/batches/<batch_id>", read),
    ("DELETE", "/batches/<batch_id>", delete),
]
