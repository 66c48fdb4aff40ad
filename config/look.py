"""How the pages look: name, colours, icon and the menu of each of the two sites, as django-unfold reads them."""

from typing import Any

from django.templatetags.static import static

# A quiet teal: dark enough for white text on buttons (600), light enough for links on dark pages (400, 500).
COLORS = {
    "primary": {
        "50": "oklch(98.0% .014 190)",
        "100": "oklch(95.0% .035 190)",
        "200": "oklch(90.5% .065 190)",
        "300": "oklch(84.0% .090 190)",
        "400": "oklch(76.0% .105 190)",
        "500": "oklch(66.0% .105 190)",
        "600": "oklch(50.0% .088 192)",
        "700": "oklch(44.0% .078 194)",
        "800": "oklch(38.0% .066 196)",
        "900": "oklch(33.0% .055 198)",
        "950": "oklch(24.0% .042 200)",
    },
    "font": {
        "subtle-light": "var(--color-base-600)",
        "subtle-dark": "var(--color-base-400)",
        "default-light": "var(--color-base-700)",
        "default-dark": "var(--color-base-300)",
        "important-light": "var(--color-base-900)",
        "important-dark": "var(--color-base-100)",
    },
}


def stylesheet(request: Any) -> str:
    """Our own style sheet; asked for late, because its address is known only once static files are set up."""
    return static("almoner/almoner.css")


def narrow(request: Any) -> str:
    """What lists and heads of pages look like on a phone."""
    return static("almoner/narrow.css")


def script(request: Any) -> str:
    """Our own few lines of script."""
    return static("almoner/almoner.js")


def icon(request: Any) -> str:
    """The icon in the browser's tab."""
    return static("almoner/icon.svg")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Almoner",
    "SITE_HEADER": "Almoner",
    "SITE_SYMBOL": "volunteer_activism",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "8px",
    "COLORS": COLORS,
    "STYLES": [stylesheet, narrow],
    "SCRIPTS": [script],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "config.navigation.for_staff"},
}

OPERATORS_UNFOLD: dict[str, Any] = {
    **UNFOLD,
    "SITE_HEADER": "Almoner operators",
    "SITE_SYMBOL": "dns",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "config.navigation.for_operators"},
}
