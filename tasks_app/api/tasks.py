"""The addresses of tasks: list, read, claim, report what became of the video, dismiss (T5)."""

import uuid
from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.api.problems import Problem
from contacts.api.views import ApiView, Done, WriteView
from tasks_app import services
from tasks_app.api import bodies, paging, shown
from tasks_app.api.bodies import moment
from tasks_app.models import ThankYou
from tasks_app.services import ThankYouRefused

SCOPE = "video"
NOBODY = "none"


class Tasks(ApiView):
    """Tasks in the order of their changes."""

    scope = SCOPE

    def get(self, request: Request) -> Response:
        """A page of them. Whoever reads changes is also told of tasks that became void by Do Not Contact."""
        asked = self.asked(bodies.TaskQuery)
        rows = ThankYou.objects.all() if "changed_since" in asked else ThankYou.objects.for_videos()
        if "changed_since" in asked:
            rows = rows.filter(updated_at__gte=asked["changed_since"])
        if "state" in asked:
            # Of somebody under Do Not Contact, a reader who follows one state hears too: there it has left that state.
            rows = rows.filter(Q(state=asked["state"]) | Q(contact__do_not_contact=True))
        if "assignee" in asked:
            rows = rows.filter(whose(asked["assignee"]))
        found, follows, until = paging.page(shown.loaded(rows), asked["limit"], asked.get("cursor", ""))
        tenant = request.auth.tenant  # type: ignore[union-attr]
        return Response({
            "results": shown.tasks(found, tenant), "next_cursor": follows,
            "changed_until": moment(until),
        })  # fmt: skip


def whose(text: str) -> Q:
    """The team's, or somebody's."""
    return Q(assignee=None) if text == NOBODY else Q(assignee__user__email=text.strip().lower())


class Task(ApiView):
    """One task."""

    scope = SCOPE

    def get(self, request: Request, uid: uuid.UUID) -> Response:
        """404 for one that is not there, and for somebody under Do Not Contact."""
        row = get_object_or_404(shown.loaded(ThankYou.objects.for_videos()), uid=uid)
        return Response(shown.tasks([row], request.auth.tenant)[0])  # type: ignore[union-attr]


class Staff(ApiView):
    """Who works there."""

    scope = SCOPE

    def get(self, request: Request) -> Response:
        """Everybody who can be given a task."""
        members = services.who_thanks().order_by("user__email")
        return Response({"results": [shown.person(member) for member in members[:1000]]})


class OnTask(WriteView):
    """Something that is done with one task."""

    scope = SCOPE

    def act(self, given: dict[str, Any], **address: Any) -> Done:
        try:
            return self.do(get_object_or_404(self.rows(), uid=address["uid"]), given)
        except ThankYouRefused as why:
            raise Problem(409, "refused", str(why)) from None

    def rows(self) -> Any:
        """Which tasks it may be done with. What has happened may be told of every one."""
        return ThankYou.objects.all()

    def do(self, row: ThankYou, given: dict[str, Any]) -> Done:
        """Do it."""
        raise RuntimeError("A write says what it does.")


def stands(row: ThankYou) -> dict[str, Any]:
    """How it is now, without anything about the donor."""
    return {"id": str(row.uid), "state": row.state, "assignee": shown.person(row.assignee),
            "changed_at": moment(row.updated_at)}  # fmt: skip


class Claim(OnTask):
    """“I do this one.”"""

    body = bodies.Claim

    def rows(self) -> Any:
        """Nobody under Do Not Contact is sent a video."""
        return ThankYou.objects.for_videos()

    def do(self, row: ThankYou, given: dict[str, Any]) -> Done:
        member = services.who_thanks().filter(user__email=given["assignee"].strip().lower()).first()
        if member is None:
            errors = [{"field": "assignee", "message": "Nobody with this address thanks donors there."}]
            raise Problem(422, "invalid", "Nobody with this address thanks donors there. Nothing was done.", errors)
        return 200, stands(services.claim(row, member))


class Dismiss(OnTask):
    """It is not going to be done."""

    body = bodies.Dismiss

    def do(self, row: ThankYou, given: dict[str, Any]) -> Done:
        return 200, stands(services.dismiss(row, given["reason"]))


class Report(OnTask):
    """Something has happened with the video. An event that is known already answers 200, a new one 201."""

    def told(self, row: ThankYou, event: Any, is_new: bool) -> Done:
        """The answer: whether it counted, and how the task stands."""
        row.refresh_from_db(fields=["state", "updated_at"])
        answer = {"event_id": event.event_id, "is_new": is_new, "task": stands(row)}
        return (201 if is_new else 200), answer


class ReportSent(Report):
    """The video was sent."""

    body = bodies.Sent

    def do(self, row: ThankYou, given: dict[str, Any]) -> Done:
        found = services.mark_sent(
            row, given["video_id"], given.get("link", ""), given["at"], given.get("event_id", "")
        )
        return self.told(row, *found)


class ReportWatched(Report):
    """The donor watched it."""

    body = bodies.Watched

    def do(self, row: ThankYou, given: dict[str, Any]) -> Done:
        found = services.record_watched(row, given["at"], given["event_id"], given.get("seconds"), given.get("percent"))
        return self.told(row, *found)


class ReportReplied(Report):
    """The donor replied."""

    body = bodies.Replied

    def do(self, row: ThankYou, given: dict[str, Any]) -> Done:
        found = services.record_replied(
            row, given["at"], given["event_id"], given.get("text", ""), given.get("link", "")
        )
        return self.told(row, *found)
