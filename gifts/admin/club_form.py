"""The form of a donor club, and what a club means in a sentence."""

from typing import Any

from django.core.exceptions import ValidationError

from contacts.tenancy.together import SeenForm
from gifts.models import DonorClub
from gifts.money import money
from gifts.placing import MEANING, MOST_CLUBS

COUNTED = {
    DonorClub.Basis.LIFETIME: "given in all",
    DonorClub.Basis.FISCAL_YEAR: "given in this fiscal year",
    DonorClub.Basis.LARGEST: "given at once",
}


def condition(club: DonorClub) -> str:
    """“from $1,000 given in all”: who joins a club that fills by itself."""
    return f"from {money(club.minimum, short=True)} {COUNTED[DonorClub.Basis(club.basis)]}"


class ClubForm(SeenForm):
    """A club, in words that say what happens to whom."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        helps = {
            "minimum": "Whoever reaches it joins. With 0, everybody who is noted as a donor does.",
            "basis": "The fiscal year is that of your settings; when it is over, everybody starts again from nothing.",
            "is_automatic": "Donors join and leave by what they give. Switched off, they are placed by hand only, "
                            "and whoever was in it by what they gave leaves.",
        }  # fmt: skip
        for name, words in helps.items():
            if name in self.fields:
                self.fields[name].help_text = words
        if not self.instance.pk and "minimum" in self.fields:
            # Nobody lets everybody in by overlooking it.
            self.initial["minimum"] = self.fields["minimum"].initial = None

    def clean_name(self) -> str:
        name: str = " ".join(self.cleaned_data["name"].split())
        return name

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.instance.pk and DonorClub.objects.count() >= MOST_CLUBS:
            raise ValidationError(f"There are {MOST_CLUBS} clubs already. Delete one that nobody has been in.")
        if cleaned and cleaned.get("is_automatic") and cleaned.get("minimum") is not None:
            same = DonorClub.objects.filter(
                is_automatic=True, minimum=cleaned["minimum"], basis=cleaned.get("basis") or self.instance.basis
            )
            if other := same.exclude(pk=self.instance.pk).first():
                words = f"“{other}” fills by itself from the same amount already, so nobody would join this one."
                raise ValidationError({"minimum": words})
        return cleaned

    def moves_donors(self) -> bool:
        """Whether somebody may join or leave by what is saved."""
        if not self.instance.is_automatic and "is_automatic" not in self.changed_data:
            return False
        return not self.instance.pk or bool(set(MEANING) & set(self.changed_data))
