"""Plain pages for people: one style for every sandbox vendor, nothing fetched from elsewhere.

Values are escaped by markupsafe: build with ``Markup("<b>{}</b>").format(value)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from markupsafe import Markup
from werkzeug.wrappers import Response

STYLE = Markup("""
:root { color-scheme: light dark; --ink:#1f2328; --soft:#5b636d; --paper:#f6f5f1; --card:#fff;
  --line:#dcd9d0; --brand:#0b6e69; --brand-ink:#fff; --warn:#9a3412; --good:#166534; --mark:#fff3c4; }
@media (prefers-color-scheme: dark) { :root { --ink:#e8e6e1; --soft:#a6adb6; --paper:#16191d;
  --card:#1e2329; --line:#363d46; --brand:#5cc7bf; --brand-ink:#08211f; --warn:#fdba74; --good:#86efac;
  --mark:#3d3413; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--paper); color:var(--ink); font:16px/1.5 system-ui, sans-serif; }
.notice { background:var(--mark); border-bottom:1px solid var(--line); padding:.5rem 1rem; text-align:center;
  font-size:.92rem; }
main { max-width:70rem; margin:0 auto; padding:1rem; }
main.narrow { max-width:28rem; padding-top:2.5rem; }
h1 { font-size:1.5rem; line-height:1.2; margin:.4rem 0 1rem; overflow-wrap:anywhere; }
h2 { font-size:1.1rem; margin:0 0 .7rem; } h3 { font-size:1rem; margin:1rem 0 .4rem; }
a { color:var(--brand); } a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible,
summary:focus-visible { outline:3px solid var(--brand); outline-offset:2px; }
.card { background:var(--card); border:1px solid var(--line); border-radius:.7rem; padding:1rem 1.1rem;
  margin:0 0 1rem; }
.grid { display:grid; gap:1rem; grid-template-columns:repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.grid .card { margin:0; } .grid + .card, .card + .grid { margin-top:1rem; } .grid { margin-bottom:1rem; }
form.row + table, table + form.row { margin-top:.8rem; } form.row + form { margin-top:1rem; }
.card > p:first-child { margin-top:0; }
.card > p:last-child { margin-bottom:0; } .when { white-space:nowrap; } select { max-width:22rem; }
details { margin:.2rem 0 .6rem; }
summary { cursor:pointer; color:var(--brand); padding:.4rem 0; } td details { margin:0; } td summary { padding:0; }
summary.grave { color:var(--warn); }
 details form { margin-top:.3rem; }
.soft { color:var(--soft); font-size:.92rem; } .row { display:flex; flex-wrap:wrap; gap:.6rem; align-items:end; }
dl { display:grid; grid-template-columns:max-content 1fr; gap:.25rem 1rem; margin:0; }
dt { color:var(--soft); } dd { margin:0; overflow-wrap:anywhere; }
table { width:100%; border-collapse:collapse; font-size:.94rem; }
th { text-align:left; color:var(--soft); font-weight:600; font-size:.84rem; }
th, td { padding:.45rem .6rem .45rem 0; border-bottom:1px solid var(--line); vertical-align:top;
  overflow-wrap:break-word; }
tr:last-child td { border-bottom:0; } td.number { font-variant-numeric:tabular-nums; white-space:nowrap; }
label { display:block; font-size:.88rem; color:var(--soft); margin-bottom:.15rem; }
input, select { font:inherit; padding:.45rem .6rem; border:1px solid var(--line); border-radius:.45rem;
  background:var(--paper); color:var(--ink); width:100%; min-height:2.6rem; }
button { font:inherit; min-height:2.6rem; padding:.4rem .9rem; border-radius:.45rem; cursor:pointer;
  border:1px solid var(--brand); background:var(--brand); color:var(--brand-ink); }
button.quiet { background:transparent; color:var(--brand); }
button.grave { background:transparent; color:var(--warn); border-color:var(--warn); }
form.inline { display:inline-block; margin:0 .4rem .4rem 0; } form p { margin:.7rem 0; }
.badge { display:inline-block; padding:.05rem .5rem; border-radius:1rem; border:1px solid currentColor;
  font-size:.82rem; color:var(--soft); white-space:nowrap; } .badge.subscribed, .badge.ok { color:var(--good); }
.badge.unsubscribed, .badge.cleaned, .badge.bad { color:var(--warn); }
.said { padding:.6rem 1rem; border-radius:.5rem; border:1px solid var(--good); margin-bottom:1rem; }
.said.error { border-color:var(--warn); color:var(--warn); }
nav.pages { display:flex; gap:1rem; align-items:center; margin-top:.8rem; }
code { font-size:.9em; overflow-wrap:anywhere; }
@media (max-width:40rem) { .stack thead { position:absolute; left:0; width:1px; overflow:hidden; clip-path:inset(50%); }
  .stack, .stack tbody { display:block; } .stack td { overflow-wrap:anywhere; }
  .stack tr { display:block; border-bottom:1px solid var(--line); padding:.5rem 0; }
  .stack td { display:flex; gap:.8rem; justify-content:space-between; border:0; padding:.12rem 0; }
  .stack td > * { text-align:left; } .stack td::before { content:attr(data-label); color:var(--soft); flex:none; } }
""")

PAGE = Markup("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="data:,"><style>{style}</style></head>
<body><p class="notice" style="margin:0">{notice}</p>
<main class="{kind}">{body}</main></body></html>
""")


def document(title: str, notice: str, *parts: Markup, kind: str = "", status: int = 200) -> Response:
    body = Markup("\n").join(parts)
    page = PAGE.format(title=title, style=STYLE, notice=notice, kind=kind, body=body)
    response = Response(page, status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response


def link(path: str, text: str, **query: object) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address(path, **query), text)


def address(path: str, **query: object) -> str:
    kept = {name: value for name, value in query.items() if value not in ("", None)}
    return f"{path}?{urlencode(kept)}" if kept else path


def badge(text: str, kind: str = "") -> Markup:
    return Markup('<span class="badge {}">{}</span>').format(kind or text, text)


def when(text: str) -> Markup:
    """A time, in one line."""
    return Markup('<span class="when">{}</span>').format(text)


def card(title: str, *parts: object) -> Markup:
    heading = Markup("<h2>{}</h2>").format(title) if title else Markup()
    return Markup('<section class="card">{}{}</section>').format(heading, Markup("\n").join(map(Markup, parts)))


def table(headings: Iterable[str], rows: Iterable[Iterable[object]], empty: str = "None yet.") -> Markup:
    """A table that becomes a stack of labelled lines on a small screen."""
    names = list(headings)
    lines = [
        Markup("<tr>{}</tr>").format(
            Markup().join(
                Markup('<td data-label="{}">{}</td>').format(name, cell) for name, cell in zip(names, row, strict=True)
            )
        )
        for row in rows
    ]
    if not lines:
        return Markup('<p class="soft">{}</p>').format(empty)
    head = Markup().join(Markup('<th scope="col">{}</th>').format(name) for name in names)
    shape = Markup('<table class="stack"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>')
    return shape.format(head, Markup().join(lines))


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    lines = (Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in pairs)
    return Markup("<dl>{}</dl>").format(Markup().join(lines))


def hidden(values: Mapping[str, object]) -> Markup:
    one = Markup('<input type="hidden" name="{}" value="{}">')
    return Markup().join(one.format(name, value) for name, value in values.items() if value is not None)


def button(action: str, text: str, values: Mapping[str, object], kind: str = "quiet") -> Markup:
    """A form of one button."""
    shape = Markup('<form class="inline" method="post" action="{}">{}<button class="{}">{}</button></form>')
    return shape.format(action, hidden(values), kind, text)


def guarded(text: str, inside: Markup, kind: str = "grave") -> Markup:
    """Something one step further away, behind a line to open."""
    return Markup('<details><summary class="{}">{}</summary>{}</details>').format(kind, text, inside)


def entry(name: str, text: str, value: str = "", kind: str = "text", field_id: str = "") -> Markup:
    """A labelled input."""
    field_id = field_id or f"f-{name}"
    shape = Markup('<div><label for="{0}">{1}</label><input id="{0}" name="{2}" type="{3}" value="{4}"></div>')
    return shape.format(field_id, text, name, kind, value)


def choice(name: str, text: str, choices: Mapping[str, str], chosen: str = "", *, field_id: str = "") -> Markup:
    """A labelled choice of one."""
    field_id = field_id or f"f-{name}"
    option = Markup('<option value="{}"{}>{}</option>')
    options = Markup().join(
        option.format(value, Markup(" selected") if value == chosen else "", label) for value, label in choices.items()
    )
    shape = Markup('<div><label for="{0}">{1}</label><select id="{0}" name="{2}">{3}</select></div>')
    return shape.format(field_id, text, name, options)


def form(action: str, text: str, fields: Iterable[Markup], values: Mapping[str, object]) -> Markup:
    """Labelled inputs and a button in a row."""
    shape = Markup('<form class="row" method="post" action="{}">{}{}<button class="quiet">{}</button></form>')
    return shape.format(action, hidden(values), Markup().join(fields), text)
