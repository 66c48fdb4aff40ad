"""The sign-in page, the Allow page and the error page of the OAuth dance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Response

from tests.fakes.html import document, hidden

if TYPE_CHECKING:
    from tests.fakes.sign_in import SignIn


@dataclass(frozen=True, slots=True)
class Look:
    """How a vendor's pages speak."""

    title: str
    will: tuple[str, ...]  # what the app will be able to do

    @property
    def notice(self) -> str:
        return f"{self.title} – nothing here is e-mailed"


SIGN_IN = Markup("""
<h1>Sign in to {title}</h1>
<div class="card">
  <p class="soft">An app asks to work with your account. Sign in to see what it wants.</p>
  {wrong}
  <form method="post" action="{action}">{hidden}
    <p><label for="login">Username</label>
      <input id="login" name="login" autocomplete="username" value="{login}" required autofocus></p>
    <p><label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required></p>
    <p><button>Sign in</button></p>
  </form>
  <p class="soft">Practice accounts: <code>river</code> (River Trust) and <code>harbor</code>
    (Harbor Food Bank); the password of both is <code>sandbox</code>.</p>
</div>""")

WRONG = Markup('<p class="said error" role="alert">Username or password is not right.</p>')

ALLOW = Markup("""
<h1>Let this app work with {name}?</h1>
<div class="card">
  <p>The <strong>Almoner sandbox app</strong> asks for access to <strong>{name}</strong>. It will be able to:</p>
  <ul>{will}</ul>
  <form method="post" action="{action}">{hidden}
    <div class="row"><button name="decision" value="allow">Allow</button>
      <button class="quiet" name="decision" value="cancel">Cancel</button></div>
  </form>
</div>""")

TROUBLE = Markup('<h1>This did not work</h1><div class="card"><p>{}</p></div>')


def sign_in(way: SignIn, asked: Mapping[str, str], *, wrong: bool = False) -> Response:
    body = SIGN_IN.format(
        title=way.look.title,
        action=f"{way.prefix}/authorize",
        wrong=WRONG if wrong else "",
        hidden=hidden({name: asked.get(name) for name in way.asked}),
        login=asked.get("login", ""),
    )
    return document(f"Sign in – {way.look.title}", way.look.notice, body, kind="narrow")


def allow(way: SignIn, account: Any, ticket: str) -> Response:
    will = Markup().join(Markup("<li>{}</li>").format(each) for each in way.look.will)
    action, kept = f"{way.prefix}/allow", hidden({"ticket": ticket})
    body = ALLOW.format(name=account.name, will=will, action=action, hidden=kept)
    return document(f"Allow access – {way.look.title}", way.look.notice, body, kind="narrow")


def trouble(look: Look, text: str, status: int = 400) -> Response:
    return document(f"Error – {look.title}", look.notice, TROUBLE.format(text), kind="narrow", status=status)
