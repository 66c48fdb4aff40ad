"""The least that a call can take: a bare Django view that says the SQL of one call again, and reads what comes.

It runs in a copy of the database in which the calls were noted, in their order, so that every statement finds what it
found then, and new rows get the same numbers.
"""

import json
import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

NOTED = [json.loads(line) for line in Path(os.environ["BENCH_SQL"]).read_text().splitlines()]


def ready(request: HttpRequest) -> HttpResponse:
    """Whether it is there."""
    return HttpResponse()


def again(request: HttpRequest, number: int) -> HttpResponse:
    """The statements of this call, in transactions as they were."""
    rows, is_open = 0, False
    with connection.cursor() as cursor:
        for sql, params, many, is_inside in NOTED[number]:
            if is_open and not is_inside:
                cursor.execute("COMMIT")
                is_open = False
            is_open = is_open or sql.startswith("BEGIN")
            if many:
                cursor.executemany(sql, params)
            else:
                cursor.execute(sql, params)
                rows += len(cursor.fetchall()) if cursor.description else 0
        if is_open:
            cursor.execute("COMMIT")
    return JsonResponse({"rows": rows})


urlpatterns = [path("", ready), path("<int:number>", again)]
application = get_wsgi_application()
