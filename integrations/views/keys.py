"""Connecting with a key: the letter that asks the vendor for one, and the form that takes it and never shows it."""

from typing import Any
from urllib.parse import quote, urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from unfold.widgets import UnfoldAdminPasswordWidget

from contacts.tenancy.roles import CHANGE
from integrations import connecting
from integrations.forms import dress
from integrations.models import Connection, Credential
from integrations.provider_kit.base import Can, Provider
from integrations.provider_kit.errors import CallFailed, Reconnect
from integrations.sync import accounts
from integrations.views.page import provider_or_404, render, staff_page


class KeyForm(forms.Form):
    """The key alone. What was entered is never given back to the page."""

    key = forms.CharField(
        label="API key", min_length=20, max_length=500,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="All of it, exactly as it came. It is tried at once.",
        error_messages={
            "required": "Enter the key.", "min_length": "This is too short to be a key. Copy all of it.",
            "max_length": "This is too long to be a key.",
        },
    )  # fmt: skip


ANOTHER = (
    "This is the key of another {service} account: the gifts that came from there last are not in it. "
    "It was not stored. If you mean the other account, enter its {question} above first."
)


def letter_form(kind: type[Provider], data: Any, kept: dict[str, Any]) -> forms.Form:
    """What only the organization knows, for the letter."""
    fields = {
        each.key: forms.CharField(label=each.label, help_text=each.help, max_length=100, required=False)
        for each in kind.key_questions
    }
    made: type[forms.Form] = type("LetterForm", (forms.Form,), fields)
    return made(data, initial=kept)


@sensitive_post_parameters("key")
@sensitive_variables("form", "data", "account")
@never_cache
@staff_page(CHANGE, ("GET", "HEAD", "POST"))
def edit(request: HttpRequest, provider: str) -> HttpResponse:
    """Write the letter, or store the key."""
    kind = provider_or_404(provider)
    if Can.KEY not in kind.can:
        raise Http404
    connection = Connection.objects.filter(provider=provider).first()
    kept = dict(connection.settings) if connection else {}
    is_letter = request.method == "POST" and request.POST.get("step") == "letter"
    letter = letter_form(kind, request.POST if is_letter else None, kept)
    form = KeyForm(request.POST if request.method == "POST" and not is_letter else None)
    if is_letter and letter.is_valid():
        keep_answers(provider, letter.cleaned_data)
        return redirect(f"{request.path}#letter")
    if form.is_bound and form.is_valid():
        sentence, account = tried(kind, form.cleaned_data["key"], kept, connection)
        if account is not None:
            return store(request, provider, account)
        form.add_error("key", sentence)
    form.fields["key"].widget = UnfoldAdminPasswordWidget(attrs=form.fields["key"].widget.attrs, render_value=False)
    return render(request, "key.html", f"Connect {kind.label}", **context(request, kind, connection, form, letter))


def keep_answers(provider: str, given: dict[str, str]) -> None:
    """What the letter says is kept, so that nobody has to enter it again."""
    connection = Connection.objects.get_or_create(provider=provider)[0]
    connection.settings = {**connection.settings, **given}
    connection.save(update_fields=["settings"])


@sensitive_variables("key")
def tried(kind: type[Provider], key: str, kept: dict[str, Any], connection: Connection | None) -> tuple[str, Any]:
    """Why the key cannot be stored, or the account that it opens."""
    given = {each.key: str(kept.get(each.key, "")) for each in kind.key_questions}
    try:
        account = kind.account_from_key(key, given)
        is_same = connection is not None and not connecting.is_another_account(connection, account)
        known = accounts.known_gifts(connection) if connection and is_same else {}
        if known and not kind.knows_gifts(key, known):
            return ANOTHER.format(service=kind.label, question=kind.key_questions[0].label), None
        return "", account
    except CallFailed as failure:
        if isinstance(failure.outcome, Reconnect):
            return f"{kind.label} did not accept this key, and it was not stored. Copy all of it and try again.", None
        return f"{kind.label} could not be asked just now: {failure} The key was not stored. Please try again.", None


@sensitive_variables("account")
def store(request: HttpRequest, provider: str, account: Any) -> HttpResponse:
    """Keep the key, encrypted (D3)."""
    asker: Any = request
    connection = Connection.objects.get_or_create(provider=provider)[0]
    if connecting.is_another_account(connection, account):
        connecting.offer(connection, account, asker.user)
        return redirect("integrations:account", provider)
    connecting.connect(connection, account, asker.user)
    messages.success(request, f"{connection} accepted the key. It is stored, and nobody can read it here any more.")
    return redirect("integrations:switches", provider)


def context(
    request: HttpRequest, kind: type[Provider], connection: Connection | None, form: forms.Form, letter: forms.Form
) -> dict[str, Any]:
    """What the page shows; of a stored key only that there is one, since when, and who entered it."""
    asker: Any = request
    given = {name: str(value or "") for name, value in (letter.initial or {}).items()}
    written = kind.key_letter(str(asker.tenant.name), given)
    rest = urlencode({"cc": written.copy_to, "subject": written.subject, "body": written.body}, quote_via=quote)
    stored = Credential.objects.filter(connection=connection).select_related("set_by").first() if connection else None
    return {
        "service": kind.label, "form": form, "letter_form": dress(letter), "letter": written,
        "mail_to": f"mailto:{written.to}?{rest}", "is_connected": bool(connection and connection.is_connected),
        "stored_at": timezone.localtime(stored.set_at) if stored else None,
        "stored_by": stored.set_by if stored else None,
    }  # fmt: skip
