"""The form of a milestone rule, in plain words."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from contacts.tenancy.together import SeenForm
from gifts import milestone_words
from gifts.milestones import Kind
from gifts.models import MilestoneRule
from gifts.models.milestone import MOST_THRESHOLDS
from gifts.models.source import WITHOUT_CAMPAIGN
from gifts.services import CENT, MOST

MOST_RULES = 50
NONE_KNOWN = milestone_words.joined([one.label for one in WITHOUT_CAMPAIGN])
LARGEST_NUMBER = 1_000_000
WHOLE = {Kind.NUMBER: "gifts", Kind.YEARS: "years"}
# What a rule means; whoever has looked at who would match looks again once one of these is changed.
FILTERS = ["at_least", "campaign", "fund", "source"]
MEANING = ["kind", "thresholds", "month", *FILTERS]


class RuleForm(SeenForm):
    """A rule. What it means is fixed while it is on; the page leaves those fields out then."""

    thresholds = forms.CharField(
        label="Which numbers or amounts", strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="One a line, such as 10 or $1,000. Each is thanked for once.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule: MilestoneRule = self.instance
        if "thresholds" in self.fields:
            self.initial["thresholds"] = "\n".join(f"{one.normalize():,f}" for one in rule.numbers)
        if "month" in self.fields:
            month = self.fields["month"]
            month.help_text = "Once in each such year. It is your fiscal year unless you choose another month."
        for name in {"campaign", "fund"} & set(self.fields):
            self.fields[name].help_text = f"Empty for every {name}. Gifts from {NONE_KNOWN} come without one."
        if "instruction" in self.fields:
            words = "; ".join(f"{token} is {meaning}" for token, meaning in milestone_words.TOKENS.items())
            self.fields["instruction"].help_text = f"Empty for “{milestone_words.USUAL}” {words}."

    def clean_name(self) -> str:
        name: str = " ".join(self.cleaned_data["name"].split())
        return name

    def clean_thresholds(self) -> list[str]:
        """Texts of decimals, each once, the lowest first."""
        kind = self.cleaned_data.get("kind") or self.instance.kind
        found: set[Decimal] = set()
        for line in filter(str.strip, self.cleaned_data["thresholds"].splitlines()):
            found.add(threshold(line, kind))
        if not found:
            raise ValidationError("Write at least one, such as 10.")
        if len(found) > MOST_THRESHOLDS:
            raise ValidationError(f"These are {len(found)}; a rule has at most {MOST_THRESHOLDS}.")
        return [str(one) for one in sorted(found)]

    def clean_campaign(self) -> str:
        campaign: str = self.cleaned_data["campaign"].strip()
        return campaign

    def clean_instruction(self) -> str:
        """Only words that are filled in."""
        text: str = self.cleaned_data["instruction"].strip()
        unknown = [token for token in re.findall(r"\{[^{}]*\}", text) if token not in milestone_words.TOKENS]
        if unknown:
            known = milestone_words.joined(list(milestone_words.TOKENS))
            raise ValidationError(f"{unknown[0]} is nothing that is filled in. Use {known}.")
        return text

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("kind", Kind.SINCE_MONTH) != Kind.SINCE_MONTH:
            self.cleaned_data["month"] = None
        asked = [name for name in ("campaign", "fund") if self.cleaned_data.get(name)]
        if asked and self.cleaned_data.get("source") in WITHOUT_CAMPAIGN:
            raise ValidationError(
                f"Gifts from {NONE_KNOWN} come without a {asked[0]}, so nobody could reach this. Leave it empty, or "
                "choose gifts from everywhere."
            )
        if not self.instance.pk and MilestoneRule.objects.count() >= MOST_RULES:
            raise ValidationError(f"There are {MOST_RULES} rules already. Delete one that nobody needs.")
        return cleaned

    def means_something_else(self) -> bool:
        """Whether what is saved changes whom it names."""
        return bool(set(MEANING) & set(self.changed_data))


def threshold(line: str, kind: str) -> Decimal:
    """One number as it was typed: 10, 1,000 or $1,000.50."""
    text = line.strip()
    try:
        found = Decimal(text.replace(",", "").lstrip("$€£¥ "))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found <= 0:
        raise ValidationError(f"“{text[:40]}” is no number above nothing. Write one a line, such as 10 or $1,000.")
    if kind in WHOLE:
        if found != found.to_integral_value() or found > LARGEST_NUMBER:
            raise ValidationError(f"“{text[:40]}” cannot be a number of {WHOLE[Kind(kind)]}. Write a whole number.")
        return Decimal(int(found))
    if found > MOST or found != found.quantize(CENT):
        raise ValidationError(f"“{text[:40]}” is no amount of money.")
    return found.quantize(CENT)
