"""The frame of every API view: key, organization, limits; and of every write: done once for each Idempotency-Key (T7).

Whatever a view does is done inside the key's organization, in its name. A write and its answer are one transaction: of
two calls with the same key that come at once, the second waits for the first and is given its answer.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from contacts.api import limits
from contacts.api.auth import BearerKey, Caller
from contacts.api.bodies import Strict, StrictJson
from contacts.api.problems import CONTENT_TYPE, Problem, as_details, handler
from contacts.tenancy.acting import By, acting
from contacts.tenancy.keys import ApiAnswer, ApiToken
from contacts.tenancy.walls import in_tenant

KEY_SHAPE = re.compile(r"[\x21-\x7e]{1,200}")
Done = tuple[int, dict[str, Any]]


class OnlyJson(BaseContentNegotiation):
    """There is one form of answers, whatever is asked for."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # type: ignore[override]
        """JSON, or none: then the answer is 415."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:  # type: ignore[override]
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """A view of an API. `scope` is the word that its key must have."""

    scope: ClassVar[str] = ""
    authentication_classes = (BearerKey,)
    permission_classes = ()
    throttle_classes = ()
    renderer_classes = (JSONRenderer,)
    parser_classes = (StrictJson,)
    content_negotiation_class = OnlyJson
    http_method_names: ClassVar[list[str]] = ["get", "head", "post"]  # type: ignore[misc]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as self.inside:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Before the view itself: whose call it is, whether it may, and into that organization."""
        super().initial(request, *args, **kwargs)
        self.enter(request.auth)  # type: ignore[arg-type]

    def enter(self, token: ApiToken) -> None:
        """Into the organization of this key, if it has calls left and the right scope."""
        self.inside.enter_context(in_tenant(token.tenant))
        self.inside.enter_context(timezone.override(token.tenant.tz))
        self.inside.enter_context(acting(By.SYSTEM, str(Caller(token))[:100]))
        try:
            self.headers |= limits.count(token)
        except limits.TooManyCalls as problem:
            self.headers |= problem.headers  # type: ignore[attr-defined]
            raise
        if self.scope not in token.scopes:
            raise PermissionDenied(f"This key may not use this API: it lacks the scope “{self.scope}”.")

    def get_exception_handler(self) -> Any:
        return handler

    def asked(self, known: type[Strict]) -> dict[str, Any]:
        """The query of the address, checked as strictly as a body."""
        given = self.request.query_params
        if again := [name for name in given if len(given.getlist(name)) > 1]:
            raise Problem(422, "invalid", f"“{again[0][:50]}” is given more than once.")
        form = known(data={name: given[name] for name in given})
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)


class WriteView(ApiView):
    """A POST that is done once. A class of it says what its body is, and does it in `act`."""

    body: ClassVar[type[Strict]]

    def act(self, given: dict[str, Any], **address: Any) -> Done:
        """Do it inside the transaction; the status and the answer. Both are kept, so no donor's data is in them."""
        raise RuntimeError("A write says what it does.")

    def post(self, request: Request, **address: Any) -> Response:
        """Once for each key: what was answered the first time is the answer."""
        key, data = self.idempotency_key(request), request.data
        if not isinstance(data, Mapping):
            raise Problem(422, "invalid", "Send a JSON object.")
        fingerprint = fingerprint_of(request, data)
        with transaction.atomic():
            try:
                with transaction.atomic():
                    answer = ApiAnswer.objects.create(token=request.auth, key=key, fingerprint=fingerprint)
            except IntegrityError:
                return self.again(ApiAnswer.objects.get(token=request.auth, key=key), fingerprint)
            try:
                with transaction.atomic():
                    form = self.body(data=data)
                    form.is_valid(raise_exception=True)
                    answer.status, said = self.act(dict(form.validated_data), **address)
            except (APIException, Http404) as error:
                said = as_details(error)
                answer.status = said["status"]
            answer.body = json.dumps(said)
            answer.save(update_fields=["status", "body"])
        return in_form(answer)

    def again(self, answer: ApiAnswer, fingerprint: str) -> Response:
        """It was done before."""
        if answer.fingerprint != fingerprint:
            raise Problem(
                422, "key-used-before",
                "This Idempotency-Key was used for another request before. Nothing was done; use a new key.",
            )  # fmt: skip
        response = in_form(answer)
        response["Idempotent-Replayed"] = "true"
        return response

    def idempotency_key(self, request: Request) -> str:
        """The key in the header, with or without quotation marks."""
        key = request.headers.get("Idempotency-Key", "").strip()
        if len(key) > 2 and key[0] == key[-1] == '"':
            key = key[1:-1]
        if not key:
            raise Problem(
                400, "no-idempotency-key",
                "Send the header Idempotency-Key: a new random word for each thing that is to be done once.",
            )  # fmt: skip
        if not KEY_SHAPE.fullmatch(key):
            raise Problem(400, "no-idempotency-key", "An Idempotency-Key has 200 letters, digits or signs at most.")
        return key


def fingerprint_of(request: Request, data: Any) -> str:
    """The same for two requests that ask for the same."""
    asked = json.dumps([request.method, request.path, data], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def in_form(answer: ApiAnswer) -> Response:
    """As it is sent: problems have a content type of their own."""
    content_type = CONTENT_TYPE if answer.status >= 400 else None
    return Response(json.loads(answer.body), status=answer.status, content_type=content_type)
