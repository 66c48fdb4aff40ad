"""Security headers on every answer, and a word for requests that no page of ours makes."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

from contacts.api import problems

# Unfold's Alpine needs 'unsafe-eval' and inline styles; scripts come from here only.
POLICY = (
    "default-src 'self'; img-src 'self' data:; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'self'; object-src 'none'"
)


class SecurityHeaders:
    """Adds the content security policy, and keeps pages with private data out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class RefuseNul:
    """An address with a NUL in its query is a mistake: PostgreSQL takes none in a text, and would fail in mid-page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", ""):
            if problems.is_api(request):
                sentence = "There is a NUL in the query of this address."
                return problems.answer(400, "not-readable", sentence, request.path)
            return HttpResponseBadRequest()
        return self.get_response(request)
