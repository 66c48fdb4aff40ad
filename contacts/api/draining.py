"""Bodies of calls that are refused before they were read: the next call on the same connection must find its beginning.

A web server that is left with the rest of a body drops the connection without a word, and a client's next call fails
with it, a POST perhaps done and perhaps not. So a rest of usual size is read here; of what is longer the web server
says that the connection ends with the answer (gunicorn.conf.py).
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, UnreadablePostError

MOST = 2 * 1024 * 1024  # more than any API takes
AT_ONCE = 64 * 1024


class ReadToTheEnd:
    """After the answer was made, reads what nobody has read of the body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_endless(request.headers.get("Content-Length", ""), request.headers.get("Transfer-Encoding", "")):
            try:
                while request.read(AT_ONCE):
                    pass
            except UnreadablePostError:  # whoever sent it is gone
                pass
        return response


def is_endless(length: str, encoding: str) -> bool:
    """Whether a body with these headers is longer than what is read, or nobody knows how long it is."""
    return bool(encoding) or (length.isdecimal() and int(length[:20]) > MOST)
