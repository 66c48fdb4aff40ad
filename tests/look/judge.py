"""What every page is judged by: accessibility (axe), one heading, no sideways scrolling, the keyboard, no errors."""

import json
from contextlib import suppress
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Error as PlaywrightError

GRAVE = ("serious", "critical")
# What depends on how wide the window is; names, labels and roles were judged on the desk.
OF_WIDTH = ["color-contrast", "scrollable-region-focusable", "button-name", "link-name", "label", "nested-interactive"]
# Nothing moves while colours are measured.
STILL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('*, *::before, *::after { transition: none !important; animation: none !important }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
SHAPE = """() => {
  const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  const root = document.documentElement, wide = [];
  if (root.scrollWidth > root.clientWidth) {
    for (const e of document.querySelectorAll('body *')) {
      const box = e.getBoundingClientRect();
      const right = Math.max(box.right, box.left + (getComputedStyle(e).overflowX === 'visible' ? e.scrollWidth : 0));
      if (right > root.clientWidth + 1 && box.width > 0 && shown(e)) wide.push(e.outerHTML.slice(0, 120));
    }
  }
  const headings = [...document.querySelectorAll('h1')].filter(shown).length;
  return { headings, extra: root.scrollWidth - root.clientWidth, wide: wide.slice(-2), title: document.title.trim() };
}"""
# The buttons that a page is about, each reached by Tab from whatever stands before it.
BUTTONS = """() => {
  const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  const reachable = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
    .filter((e) => e.tabIndex >= 0 && !e.disabled && e.type !== 'hidden' && shown(e));
  const main = document.querySelector('#main, #content, main') || document.body;
  const buttons = [...main.querySelectorAll('.al-button, button[type=submit], input[type=submit], #submit-row button')]
    .filter((e) => shown(e) && !e.disabled).slice(0, 3);
  window.lookedAt = buttons.map((e) => [reachable[reachable.indexOf(e) - 1], e, reachable.includes(e)]);
  return window.lookedAt.map(([, e, can]) => [(e.innerText || e.value || '').trim().slice(0, 40), can]);
}"""
STEP_BEFORE = """(n) => {
  const [before, button] = window.lookedAt[n];
  window.lookOf = (e) => (({ outlineStyle, boxShadow, borderColor }) => [outlineStyle, boxShadow, borderColor])(
    getComputedStyle(e));
  document.activeElement.blur();
  window.plain = lookOf(button);
  if (before) before.focus();
}"""
ARRIVED = "(n) => document.activeElement === window.lookedAt[n][1]"
SHOWS_FOCUS = "(n) => lookOf(window.lookedAt[n][1]).some((value, i) => value !== window.plain[i])"


def settle(page: Any) -> None:
    """Wait until the theme's scripts are done, and stop everything that moves."""
    page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
    page.evaluate(STILL)


def follow(page: Any) -> None:
    """Give charts, which are drawn anew when a window changes its width, the moment that they need; `shape` judges."""
    with suppress(PlaywrightError):
        page.wait_for_function(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth", timeout=5000
        )


def shape(page: Any, width: int) -> list[str]:
    """One heading, a title, and nothing wider than the window."""
    found, wrong = page.evaluate(SHAPE), []
    if found["headings"] != 1:
        wrong.append(f"{found['headings']} first headings")
    if not found["title"].strip(" |"):
        wrong.append("no title")
    if found["extra"] > 0:
        wrong.append(f"scrolls {found['extra']} pixels sideways at {width}: {found['wide']}")
    return wrong


def keyboard(page: Any) -> list[str]:
    """Tab reaches the main buttons in their place, and the one that is reached can be seen."""
    wrong = []
    for number, (words, is_reachable) in enumerate(page.evaluate(BUTTONS)):
        if not is_reachable:
            wrong.append(f"the keyboard does not reach “{words}”")
            continue
        page.evaluate(STEP_BEFORE, number)
        for _ in range(3):  # a group of radio buttons is one stop
            page.keyboard.press("Tab")
            if page.evaluate(ARRIVED, number):
                break
        else:
            wrong.append(f"Tab does not come to “{words}”")
            continue
        if not page.evaluate(SHOWS_FOCUS, number):
            wrong.append(f"“{words}” does not show that it has the focus")
    return wrong


def accessibility(page: Any, rules: list[str] | None = None) -> list[str]:
    """What axe calls serious or critical; with `rules` only these are asked."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(f"axe.run({json.dumps(options)}).then(r => r.violations)")
    return [told(violation) for violation in found if violation["impact"] in GRAVE]


def told(violation: dict[str, Any]) -> str:
    """The rule, how grave, how often, and the first place of it."""
    first = violation["nodes"][0]
    where = f"{first['html'][:160]} {first['failureSummary'][-140:]}"
    return f"{violation['id']} ({violation['impact']}, {len(violation['nodes'])}): {where}"
