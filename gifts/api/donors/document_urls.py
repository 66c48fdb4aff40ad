"""The addresses of the donors API's document and of the page to try it, below /api/donors/."""

from django.urls import path

from gifts.api.donors import document

app_name = "donors_document"
urlpatterns = [
    path("openapi.json", document.show, name="document"),
    path("try", document.page, name="try"),
]
