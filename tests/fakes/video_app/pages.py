"""The pages for people: the tasks as our API lists them, buttons to send, watch and reply, and the webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from tests.fakes import buttons
from tests.fakes import html as h
from tests.fakes.acts import Refusal
from tests.fakes.page_parts import clock, said
from tests.fakes.video_app.state import Account

if TYPE_CHECKING:
    from tests.fakes.video_app.app import VideoAppSandbox

NOTICE = "Sandbox video app – no video is recorded, and nothing is mailed"
STATES = {"open": "To do", "sent": "Sent", "done": "Done", "dismissed": "Dismissed", "withdrawn": "Withdrawn"}
KINDS = {"open": "", "sent": "warn", "done": "ok", "dismissed": "bad", "withdrawn": "bad"}


def respond(sandbox: VideoAppSandbox, request: Request) -> Response:
    if request.path.startswith("/videos/"):
        text = Markup("<h1>A thank-you video</h1><p>Imagine somebody who smiles and says thank you.</p>")
        return h.document("A video", NOTICE, text)
    return buttons.respond(sandbox, request, {"/": home, "/account": account_page}, NOTICE)


def home(sandbox: VideoAppSandbox, request: Request) -> Response:
    cards = Markup().join(account_card(each) for each in sandbox.accounts.values())
    heading = Markup(
        "<h1>Sandbox video app</h1><p class='soft'>A program of others: it speaks to Almoner by its API.</p>"
    )
    return h.document(sandbox.title, NOTICE, heading, said(request), Markup('<div class="grid">{}</div>').format(cards))


def account_card(account: Account) -> Markup:
    rows = [
        ("API key", h.badge("in use", "ok") if account.key else h.badge("none", "bad")),
        ("Videos sent from here", f"{len(account.videos):,}"),
        ("Webhooks that came", f"{len(account.messages):,}"),
    ]
    look = Markup("<p>{}</p>").format(h.link("/account", "Tasks and webhooks", account=account.login))
    return h.card(account.name, h.facts(rows), look)


def account_page(sandbox: VideoAppSandbox, request: Request) -> Response:
    account = sandbox.accounts[request.args["account"]]
    state = request.args.get("state", "open")
    query = {"state": state} if state in STATES else {}
    if cursor := request.args.get("cursor", ""):
        query["cursor"] = cursor
    parts = [Markup("<p>{}</p><h1>{}</h1>").format(h.link("/", "← All accounts"), account.name), said(request)]
    try:
        almoner = sandbox.almoner(account)
        page = almoner.get("/tasks", limit="20", **query)
        staff = {each["email"]: each["name"] for each in almoner.get("/staff")["results"]}
        back = h.address("/account", account=account.login, state=state)
        parts.append(h.card("Tasks", ways(account, state), tasks(account, page, staff, back, state)))
    except (Refusal, OSError) as problem:
        parts.append(
            h.card("Tasks", Markup('<p class="said error">{}</p>').format(problem or "Almoner does not answer."))
        )
    parts.append(h.card("Webhooks that came", messages(account)))
    return h.document(f"{account.name} – {sandbox.title}", NOTICE, *parts)


def ways(account: Account, chosen: str) -> Markup:
    """The states to look at."""
    links = (
        Markup("<strong>{}</strong>").format(text) if state == chosen
        else h.link("/account", text, account=account.login, state=state)
        for state, text in (*STATES.items(), ("all", "All"))
    )  # fmt: skip
    return Markup("<p>{}</p>").format(Markup(" · ").join(links))


def tasks(account: Account, page: Any, staff: dict[str, str], back: str, state: str) -> Markup:
    rows = [task_row(account, each, staff, back) for each in page["results"] if "sentence" in each]
    more = Markup()
    if page["next_cursor"]:
        more = Markup("<p>{}</p>").format(
            h.link("/account", "More", account=account.login, state=state, cursor=page["next_cursor"])
        )
    return h.table(("What to do", "Due", "Who", "State", ""), rows, "Nothing in this state.") + more


def task_row(account: Account, task: dict[str, Any], staff: dict[str, str], back: str) -> tuple[object, ...]:
    who = task["assignee"]["name"] if task["assignee"] else "the team"
    state = h.badge(STATES[task["state"]], KINDS[task["state"]])
    return task["sentence"], h.when(task["due_on"]), who, state, deeds(account, task, staff, back)


def deeds(account: Account, task: dict[str, Any], staff: dict[str, str], back: str) -> Markup:
    """What can be done with it now."""
    place = {"account": account.login, "task": task["id"], "back": back}
    by_staff, by_donor = {"as": "staff", **place}, {"as": "donor", **place}
    if task["state"] == "open":
        first = h.button("/act", "Send video", {**by_staff, "action": "send"}, kind="")
        choices = h.choice("assignee", "Who takes it", staff, field_id=f"a-{task['id']}")
        claim = h.form("/act", "Claim", [choices], {**by_staff, "action": "claim"})
        refuse = h.button("/act", "Dismiss", {**by_staff, "action": "dismiss"})
        return first + h.guarded("More", claim + refuse, kind="")
    if task["state"] in ("sent", "done"):
        words = h.entry("text", "The donor's words", "What a lovely surprise!", field_id=f"t-{task['id']}")
        return Markup().join([
            h.button("/act", "Watch it as the donor", {**by_donor, "action": "watch"}),
            h.guarded("Reply as the donor", h.form("/act", "Reply", [words], {**by_donor, "action": "reply"}), kind=""),
        ])  # fmt: skip
    return Markup("–")


def messages(account: Account) -> Markup:
    rows = (
        (clock(each["at"]), Markup("<code>{}</code>").format(each["type"]),
         Markup("<code>{}</code>").format(each["task"] or "–"),
         h.badge("genuine", "ok") if each["is_genuine"] else h.badge("not genuine", "bad"),
         "again" if each["is_repeated"] else "–")
        for each in account.messages[:-51:-1]
    )  # fmt: skip
    return h.table(("Time (UTC)", "What", "Task", "Signature", "Came before"), rows, "No webhook came yet.")
