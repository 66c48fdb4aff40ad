"""What the video app may send, field by field; the OpenAPI document is made from these."""

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from contacts.api.bodies import Line, Link, Moment, Strict, Text, Whole
from contacts.importing.values import is_email
from contacts.models import Contact
from tasks_app.models import ThankYou

EVENT_ID = "The event’s own id in your app. An event is counted once, whatever is sent again, in whatever order."
MOST, USUAL = 200, 50


def moment(at: datetime | None) -> str | None:
    """A time as the API writes it: in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


class Claim(Strict):
    """Who is going to do it."""

    assignee = serializers.EmailField(max_length=254, help_text="The e-mail address of somebody who works there.")


class Sent(Strict):
    """A video was sent to the donor."""

    event_id = Text(max_length=200, required=False, help_text=EVENT_ID + " Without it, the video’s id is taken.")
    video_id = Text(max_length=150, help_text="What your app calls the video.")
    link = Link(required=False, help_text="Where the video can be seen.")
    at = Moment(help_text="When it was sent, with the zone.")


class Watched(Strict):
    """The donor watched the video: so many seconds, or so much of it."""

    event_id = Text(max_length=200, help_text=EVENT_ID)
    at = Moment(help_text="When it was watched, with the zone.")
    seconds = Whole(min_value=0, max_value=86_400, required=False)
    percent = Whole(min_value=0, max_value=100, required=False)

    def validate(self, attrs: Any) -> Any:
        """At least one of them says how much."""
        if "seconds" not in attrs and "percent" not in attrs:
            raise serializers.ValidationError({"seconds": "Send seconds or percent."})
        return attrs


class Replied(Strict):
    """The donor replied, in words or with a video of their own."""

    event_id = Text(max_length=200, help_text=EVENT_ID)
    at = Moment(help_text="When they replied, with the zone.")
    text = Text(max_length=10_000, required=False, allow_blank=True, trim_whitespace=False)
    link = Link(required=False, help_text="Where their reply can be seen.")

    def validate(self, attrs: Any) -> Any:
        """A reply says something."""
        if not attrs.get("text") and not attrs.get("link"):
            raise serializers.ValidationError({"text": "Send text or a link."})
        return attrs


class Dismiss(Strict):
    """It is not going to be done."""

    reason = Text(max_length=400, help_text="Why, in a few words; people read it.")


class TaskQuery(Strict):
    """Which tasks."""

    state = serializers.ChoiceField(choices=ThankYou.State.choices, required=False)
    assignee = Text(max_length=254, required=False, help_text="An e-mail address; “none” for the whole team’s.")
    changed_since = Moment(
        required=False,
        help_text="Only what has changed since this time. Take `changed_until` of your last reading.",
    )
    cursor = Text(max_length=300, required=False, help_text="`next_cursor` of the page before.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST, required=False, default=USUAL)


class ContactQuery(Strict):
    """Whom to look up: by exactly one of these."""

    custom_user_id = Text(max_length=100, required=False)
    email = Text(max_length=254, required=False)
    phone = Text(max_length=40, required=False, help_text="With the country’s code, or as people there write it.")

    def validate(self, attrs: Any) -> Any:
        """Exactly one, and not empty."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Send exactly one of custom_user_id, email and phone.")
        return attrs


class NewContact(Strict):
    """Somebody whom your app knows. Who is here already is not made again, and not changed."""

    kind = serializers.ChoiceField(choices=Contact.Kind.choices, required=False, default=Contact.Kind.PERSON)
    first_name = Line(max_length=100, required=False, allow_blank=True, default="")
    last_name = Line(max_length=100, required=False, allow_blank=True, default="")
    organization_name = Line(max_length=200, required=False, allow_blank=True, default="")
    custom_user_id = Text(max_length=100, required=False, allow_blank=True, default="")
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")
    phone = Text(max_length=40, required=False, allow_blank=True, default="")

    def validate_email(self, value: str) -> str:
        """Short enough also in small letters, of which some are two signs."""
        if value and not is_email(value):
            raise serializers.ValidationError("Enter a valid email address.")
        return value

    def validate(self, attrs: Any) -> Any:
        """Something to know them by."""
        if not any(attrs[name] for name in ("custom_user_id", "email", "phone")):
            raise serializers.ValidationError("Send at least one of custom_user_id, email and phone.")
        return attrs
