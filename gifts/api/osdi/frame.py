"""The frame of every OSDI view: the key and its organization, a tolerant ear, answers in HAL, writes done once.

A write and its answer are one transaction. With an Idempotency-Key the second of two calls waits for the first and is
given its answer; what is kept for that is the id of the resource, and nothing about a person.
"""

import json
from collections.abc import Callable
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.http import Http404
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from contacts.api.auth import OsdiKey
from contacts.api.views import KEY_SHAPE, ApiView, fingerprint_of
from contacts.tenancy.keys import ApiAnswer, ApiToken
from contacts.tenancy.models import Tenant
from gifts.api.osdi import SCOPE, errors, hal
from gifts.api.osdi.errors import Wrong
from gifts.api.osdi.reading import AlwaysJson, AnyJson
from gifts.donating.refused import DonatingRefused

CACHE = "max-age=0, private, must-revalidate"


class KeyOrNone(OsdiKey):
    """No key at all is for the view to judge; a wrong one is refused."""

    def authenticate(self, request: Request) -> Any:
        return super().authenticate(request) if self.given(request) else None


class OsdiView(ApiView):
    """A view of this API. A class of it has `get`, `post`, `put` or `delete`, and `show` for what its writes answer."""

    scope = SCOPE
    authentication_classes = (KeyOrNone,)
    parser_classes = (AnyJson,)
    content_negotiation_class = AlwaysJson
    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "put", "delete"]  # type: ignore[misc]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Before the view itself: into the organization of the key, or to where no key is needed."""
        APIView.initial(self, request, *args, **kwargs)
        if request.auth is None:
            self.without_key(request, **kwargs)
        else:
            self.enter(request.auth)

    def without_key(self, request: Request, **address: Any) -> None:
        """Nobody gets in, but where a view says otherwise."""
        raise NotAuthenticated

    def get_exception_handler(self) -> Any:
        return errors.handler

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = CACHE
        if response.status_code < 400:
            response.content_type = response.content_type or hal.CONTENT_TYPE
        return response

    @property
    def tenant(self) -> Tenant:
        """The organization of the key."""
        token: ApiToken = self.request.auth  # type: ignore[assignment]
        return token.tenant

    def sent(self) -> Any:
        """What the body says; None for an empty one and for `null`, which some clients send with every call."""
        return self.request.data if self.request.headers.get("Content-Length", "").strip("0 ") else None

    def given(self) -> dict[str, Any]:
        """The JSON object of the body. Raises `Wrong`, also for none: a client that lost it must hear that."""
        if self.request.headers.get("Transfer-Encoding"):  # it would be passed over
            raise Wrong("Send the body in one piece, with Content-Length. Nothing was done.")
        data = self.sent()
        if data is None:
            raise Wrong("There is no body. Send a JSON object with what is to be written down. Nothing was done.")
        if not isinstance(data, dict):
            raise Wrong("Send a JSON object.")
        return dict(data)

    def given_anywhere(self, *names: str) -> dict[str, Any]:
        """The same; where the body is empty, these members are taken from the address, as some clients send them."""
        query = self.request.query_params
        asked = {name: query[name] for name in names if name in query}
        return asked if asked and not self.sent() else self.given()

    def show(self, uid: str) -> dict[str, Any]:
        """The resource that a write made or changed, as it is now."""
        return {}

    def once(self, act: Callable[[], str]) -> Response:
        """Do it in a transaction; answer with the resource whose id it returns, or `{}` for none."""
        key = self.idempotency_key()
        if not key:
            with transaction.atomic():
                shown = self.show(act())
            return Response(shown)
        fingerprint = fingerprint_of(self.request, [self.request.META.get("QUERY_STRING", ""), self.sent()])
        with transaction.atomic():
            try:
                with transaction.atomic():
                    kept = ApiAnswer.objects.create(token=self.request.auth, key=key, fingerprint=fingerprint)
            except IntegrityError:
                return self.again(ApiAnswer.objects.get(token=self.request.auth, key=key), fingerprint)
            status, said, body = self.tried(act)
            kept.status, kept.body = status, json.dumps(said)
            kept.save(update_fields=["status", "body"])
        return answered(status, body)

    def tried(self, act: Callable[[], str]) -> tuple[int, dict[str, str], dict[str, Any]]:
        """(status, what is kept of the answer, the answer). A refusal is an answer as well."""
        try:
            with transaction.atomic():
                uid = act()
                return 200, {"id": uid}, self.show(uid)
        except (APIException, DonatingRefused, Http404) as error:
            status, sentence = errors.told(error)
            return status, {"error": sentence}, {"error": sentence}

    def again(self, kept: ApiAnswer, fingerprint: str) -> Response:
        """It was done before."""
        if kept.fingerprint != fingerprint:
            raise Wrong("This Idempotency-Key was used for another request before. Nothing was done; use a new key.")
        said = json.loads(kept.body)
        response = answered(kept.status, said if "error" in said else self.show(said["id"]))
        response["Idempotent-Replayed"] = "true"
        return response

    def idempotency_key(self) -> str:
        """The key in the header, with or without quotation marks; "" for none, and where no key says whose it is."""
        key = self.request.headers.get("Idempotency-Key", "").strip()
        if len(key) > 2 and key[0] == key[-1] == '"':
            key = key[1:-1]
        if key and not KEY_SHAPE.fullmatch(key):
            raise Wrong("An Idempotency-Key has 200 letters, digits or signs at most.")
        return key if self.request.auth else ""


def answered(status: int, body: dict[str, Any]) -> Response:
    """An answer in its form."""
    return Response(body, status=status, content_type="application/json" if status >= 400 else None)


class NotHere(OsdiView):
    """Any other address below the entry point."""

    def without_key(self, request: Request, **address: Any) -> None:
        """It is no secret that nothing is here."""

    def get(self, request: Request, **address: Any) -> Response:
        """404, whatever is asked."""
        raise Http404

    post = put = delete = get
