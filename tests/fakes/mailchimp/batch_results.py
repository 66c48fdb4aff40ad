"""Results of a batch: a tar.gz behind a link that lives ten minutes."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import random
import secrets
import tarfile
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from tests.fakes.mailchimp.batch_work import Batch
from tests.fakes.mailchimp.call import Call

if TYPE_CHECKING:
    from tests.fakes.mailchimp.app import MailchimpSandbox

# Signs result links; a restart makes the old ones worthless, as ten minutes would.
LINK_KEY = secrets.token_bytes(16)


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
