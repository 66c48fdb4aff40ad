"""Plain words: every reason has a sentence and a way out, and counts and changes read as people speak."""

import ast
import re
from pathlib import Path

import pytest

from integrations.words import REASONS, Difference, differences, explain, joined, lasting, sum_up, verb_label

JARGON = re.compile(r"\b(api|webhook|remote|outbox|tenant|queue|json|http|merge field|null|sync job)\b", re.IGNORECASE)
ASKED_FOR = {
    "no_email", "email_bounced", "email_complained", "email_invalid", "dnc_contact", "dnc_list", "opted_out",
    "waiting_confirmation", "not_on_a_list", "deleted", "removed_there", "cleaned_there", "forgotten", "fake_address",
    "invalid_address", "compliance", "merge_fields", "plan_limit", "not_permitted", "address_taken",
    "cannot_change_address", "refused", "brake", "list_not_there_yet", "internal",
}  # fmt: skip
WHILE_CONNECTING = {"oauth"}  # said at once to whoever pressed Connect; no row ever carries it


@pytest.mark.parametrize("code", sorted(REASONS))
def test_L34_each_reason_is_a_sentence_with_a_way_out_and_without_jargon(code: str) -> None:
    reason = explain(code, service="Mailchimp")
    assert reason.title
    assert not reason.title.endswith(".")
    for text in (reason.sentence, reason.remedy):
        assert text.endswith("."), text
        assert "{" not in text
        assert not JARGON.search(text), text
    assert not reason.retry_helps or reason.button in reason.remedy, "a button that helps is named"


def test_L34_every_code_that_is_asked_for_or_given_anywhere_has_its_words(base_dir: Path) -> None:
    given = set(ASKED_FOR)
    for path in (base_dir / "integrations").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    given.add(str(first.value))
    assert given - WHILE_CONNECTING <= REASONS.keys()
    assert len(given) > len(ASKED_FOR), "codes were found in the sources"


def test_what_the_service_said_about_this_case_goes_before_the_general_sentence() -> None:
    assert explain("refused", "The street is missing.", "Mailchimp").sentence == "The street is missing."
    assert explain("not-a-code").retry_helps


def test_counts_read_as_a_sentence() -> None:
    counts = {"disable": 3, "create": 1204, "update": 31, "skip": 7, "create_list": 1}
    assert sum_up(counts, ahead=True) == [
        "1,204 people will be added, 31 updated and 3 taken off.",
        "1 list will be created.",
    ]
    assert sum_up({"create": 1}) == ["1 person added."]
    assert sum_up({"skip": 4}) == []
    assert joined(["a"]) == "a"
    assert joined([]) == ""


def test_changes_read_as_before_and_after_with_the_lists_names() -> None:
    before = {"address": "a@x.org", "standing": "subscribed", "fields": {"first_name": "Ana"}, "lists": ["1", "2"]}
    after = {"address": "b@x.org", "standing": "archived", "fields": {"first_name": "Ana"}, "lists": ["2", "3"]}
    assert differences(before, after, {"1": "News", "2": "Board", "3": "Gala"}) == [
        Difference("Email address", "a@x.org", "b@x.org"),
        Difference("State", "Subscribed", "Switched off"),
        Difference("Put on", "–", "Gala"),
        Difference("Taken off", "–", "News"),
    ]
    assert differences(None, {"name": "News"}, {}) == [Difference("Name", "–", "News")]
    assert str(Difference("Name", "A", "B")) == "Name: A → B"
    assert differences(after, after, {}) == []
    assert differences(None, {"lists": ["gone"]}, {}) == [Difference("Put on", "–", "a deleted list")]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5, "less than a minute"), (60, "about 1 minute"), (610, "about 10 minutes"), (7200, "about 2 hours"),
     (4 * 86400, "about 4 days")],
)  # fmt: skip
def test_lengths_of_time_are_in_words(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


def test_an_unknown_operation_is_readable() -> None:
    assert verb_label("create") == "Add"
    assert verb_label("something_new") == "Something new"
