"""The addresses of OSDI below /api/, each with and without a slash at its end and never with a redirect, which would
lose what is posted (O1, O14)."""

from django.urls import path, re_path

from gifts.api.osdi import document, donations, entry, pages, people, tags
from gifts.api.osdi.frame import NotHere

app_name = "osdi"
ADDRESSES = {
    "": entry.EntryPoint,
    "/people": people.People,
    "/people/{person}": people.Person,
    "/people/{person}/donations": donations.OfPerson,
    "/people/{person}/donations/{donation}": donations.OneDonation,
    "/people/{person}/taggings": tags.OfPerson,
    "/fundraising_pages": pages.Pages,
    "/fundraising_pages/{page}": pages.Page,
    "/fundraising_pages/{page}/donations": donations.OfPage,
    "/fundraising_pages/{page}/donations/{donation}": donations.OneDonation,
    "/donations": donations.Donations,
    "/donations/{donation}": donations.OneDonation,
    "/tags": tags.Tags,
    "/tags/{tag}": tags.OneTag,
    "/tags/{tag}/taggings": tags.Taggings,
    "/tags/{tag}/taggings/{tagging}": tags.Tagging,
    "/metadata": entry.Metadata,
    "/metadata/custom_fields": entry.CustomFields,
}


def pattern(address: str) -> str:
    """As Django reads it."""
    return "^v2" + address.replace("{", "(?P<").replace("}", ">[^/]{1,100})") + "/?$"


urlpatterns = [
    *(re_path(pattern(address), view.as_view()) for address, view in ADDRESSES.items()),
    path("osdi/openapi.json", document.show, name="document"),
    path("osdi/try", document.page, name="try"),
    re_path(r"^v2/.*$", NotHere.as_view()),
]
