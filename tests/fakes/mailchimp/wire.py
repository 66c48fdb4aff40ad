"""The wire's side of an API call: reading credentials and methods, wording answers and refusals."""

from __future__ import annotations

import base64
import json
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.fakes.mailchimp.call import Answer
from tests.fakes.mailchimp.errors import GLOSSARY, Problem


def credential(request: Request) -> str:
    """The token or key of a request: Bearer, or Basic with any user name."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return value.strip() if kind.lower() in ("bearer", "oauth", "apikey") else ""


def overridden(request: Request) -> str:
    wanted = request.headers.get("X-HTTP-Method-Override")
    if not wanted:
        return request.method
    if request.method != "POST" or wanted.upper() not in ("GET", "PUT", "PATCH", "DELETE"):
        raise GLOSSARY["InvalidMethodOverride"]
    return wanted.upper()


def worded(problem: Problem, instance: str, host_url: str) -> Response:
    response = Response(
        json.dumps(problem.document(instance)),
        problem.status,
        content_type="application/problem+json; charset=utf-8",
    )
    response.headers["X-Request-Id"] = instance
    schema = f"{host_url}schema/3.0/Definitions/ProblemDetailDocument.json"
    response.headers["Link"] = f'<{schema}>; rel="describedBy"'
    if problem.allow:
        response.headers["Allow"] = problem.allow
    return response


def answered(found: Answer, content: Any, instance: str, host_url: str, dc: str) -> Response:
    if content is None:
        return Response(b"", 204, {"X-Request-Id": instance})
    body = json.dumps(content, separators=(",", ":"))
    response = Response(body, 200, content_type="application/json; charset=utf-8")
    response.headers["X-Request-Id"] = instance
    link = f'<{host_url}schema/3.0/Definitions/{found.schema}.json>; rel="describedBy"'
    if found.dashboard:
        page = f"https://{dc}.admin.sandbox.invalid/lists/members/view?id={found.dashboard}"
        link += f', <{page}>; rel="dashboard"'
    response.headers["Link"] = link
    return response
