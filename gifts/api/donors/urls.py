"""The addresses of the donors API, below /donors/: as the customer's document has them."""

from django.urls import path

from gifts.api.donors import many, single

app_name = "donors_api"
urlpatterns = [
    path("<str:tenant>", single.Donors.as_view(), name="donors"),
    path("<str:tenant>/search", many.Search.as_view(), name="search"),
    path("<str:tenant>/recalculateDonorTotals", many.Recalculate.as_view(), name="recalculate"),
    path("<str:tenant>/batch", many.Batch.as_view(), name="batch"),
    path("<str:tenant>/<str:uid>", single.OneDonor.as_view(), name="donor"),
]
