"""The sign-in page, the Allow page and the error page of the OAuth dance."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup
from werkzeug.wrappers import Response

from tests.fakes.html import document, hidden
from tests.fakes.mailchimp.state import Account

NOTICE = "Sandbox Mailchimp – nothing here is e-mailed"
ASKED = ("response_type", "client_id", "redirect_uri", "state")

SIGN_IN = Markup("""
<h1>Sign in to Sandbox Mailchimp</h1>
<div class="card">
  <p class="soft">An app asks to work with your account. Sign in to see what it wants.</p>
  {wrong}
  <form method="post" action="/oauth2/authorize">{hidden}
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
  <p>The <strong>Almoner sandbox app</strong> asks for access to <strong>{name}</strong>
    (data centre {dc}). It will be able to:</p>
  <ul><li>see your audiences, contacts and tags</li><li>add, change, tag and archive contacts</li>
    <li>be told when contacts change</li></ul>
  <form method="post" action="/oauth2/allow">{hidden}
    <div class="row"><button name="decision" value="allow">Allow</button>
      <button class="quiet" name="decision" value="cancel">Cancel</button></div>
  </form>
</div>""")

TROUBLE = Markup('<h1>This did not work</h1><div class="card"><p>{}</p></div>')


def sign_in(asked: Mapping[str, str], *, wrong: bool = False) -> Response:
    body = SIGN_IN.format(
        wrong=WRONG if wrong else "",
        hidden=hidden({name: asked.get(name) for name in ASKED}),
        login=asked.get("login", ""),
    )
    return document("Sign in – Sandbox Mailchimp", NOTICE, body, kind="narrow")


def allow(account: Account, ticket: str) -> Response:
    body = ALLOW.format(name=account.name, dc=account.dc, hidden=hidden({"ticket": ticket}))
    return document("Allow access – Sandbox Mailchimp", NOTICE, body, kind="narrow")


def trouble(text: str, status: int = 400) -> Response:
    return document("Error – Sandbox Mailchimp", NOTICE, TROUBLE.format(text), kind="narrow", status=status)
