"""Money as it is stored: exactly to the cent in every database, however it was reckoned. SQLite by itself keeps what it
is given, and then the sum of what is shown is not the sum that is shown."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

CENT = Decimal("0.01")


def to_cents(value: Any) -> Any:
    """A decimal with two places; whatever else it is stays (None, an expression, what is no number)."""
    if isinstance(value, Decimal) and value.is_finite():
        return value.quantize(CENT, ROUND_HALF_UP)
    return value


class Amount(models.DecimalField):  # type: ignore[type-arg]
    """A decimal field with two places that is rounded before it is stored."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_digits": 12, "decimal_places": 2} | options)

    def deconstruct(self) -> Any:
        """For migrations it is the plain field: there is nothing else about its column."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.DecimalField", args, options

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """The row in hand says the same as the one that is stored."""
        value = super().pre_save(model_instance, add)
        rounded = to_cents(value)
        if rounded is not value:
            setattr(model_instance, self.attname, rounded)
        return rounded

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return super().get_db_prep_save(to_cents(value), connection)
