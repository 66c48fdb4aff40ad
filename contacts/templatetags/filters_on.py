"""Which filters narrow a list of rows, in words, each with the way to take it off."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django import template

register = template.Library()


@register.simple_tag
def filters_on(changes: Any) -> list[tuple[str, str, str]]:
    """[(filter, what was chosen, address of the list without it)]; no queries, the filters know their choices."""
    asked: dict[str, list[str]] = changes.get_filters_params()
    found = []
    for spec in changes.filter_specs:
        names = [name for name in spec.expected_parameters() if name and asked.get(name, [""])[-1]]
        if words := ", ".join(words_of(spec, {name: asked[name][-1] for name in names})):
            rest = {k: v for k, v in changes.filter_params.items() if k not in names and k != "p"}
            title = str(spec.title)
            found.append((title[:1].upper() + title[1:], words, f"?{urlencode(rest, doseq=True)}"))
    return found


def words_of(spec: Any, given: dict[str, str]) -> Iterator[str]:
    """What was chosen in one filter, as it calls it."""
    field: Any = getattr(spec, "field", None)
    choices: Any = getattr(spec, "lookup_choices", None) or getattr(field, "flatchoices", ())
    labels = {str(value): str(label) for value, label in choices}
    boxes = getattr(spec, "boxes", {})
    for name, value in given.items():
        end = next((end for end in (*boxes, "_none") if boxes and name.endswith(end)), "")
        if end == "_none":
            yield "not filled in"
        elif end:
            yield f"{boxes[end].lower()} {value}"
        else:
            yield labels.get(value, value)
