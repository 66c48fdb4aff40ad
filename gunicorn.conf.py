"""What gunicorn is told, wherever it is started from this folder."""

from typing import Any

from contacts.api.draining import is_endless


def pre_request(worker: Any, request: Any) -> None:
    """A body that is not read to its end ends the connection; the answer says so to the client."""
    headers = {name.upper(): value for name, value in request.headers}
    if is_endless(headers.get("CONTENT-LENGTH", ""), headers.get("TRANSFER-ENCODING", "")):
        request.force_close()
