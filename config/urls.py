"""Every address."""

from django.conf import settings
from django.contrib import admin
from django.shortcuts import redirect
from django.urls import include, path

from config import operator_admin  # noqa: F401  (registers what operators see)
from config.demo import mail
from config.health import healthz
from config.operator_site import operators
from contacts.tenancy.joining import Join
from contacts.tenancy.views import choose_organization

urlpatterns = [
    path("healthz", healthz),
    path("", lambda request: redirect("admin:index")),
    path("organization/choose/", choose_organization, name="choose-organization"),
    path("api/video/v1/", include("tasks_app.urls")),
    path("api/", include("gifts.api.osdi.urls")),
    path("api/donors/", include("gifts.api.donors.document_urls")),
    path("donors/", include("gifts.api.donors.urls")),
    path("join/<token>/", Join.as_view(), name="join"),
    path("", include("integrations.urls")),  # before the staff's site, below whose address most of them lie
    path("admin/", admin.site.urls),
    path(settings.OPERATORS_PATH, operators.urls),
    *mail.addresses(),
]
handler403 = "config.problems.not_allowed"
handler404 = "config.problems.not_there"
