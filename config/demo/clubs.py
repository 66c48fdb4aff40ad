"""Donor clubs of River Trust: three that donors reach by what they gave, and one in which people are placed by hand."""

from gifts import donors, placing, running
from gifts.models import Donor, DonorClub

CLUBS = [
    ("Friends of the river", 250, "lifetime", True),
    ("Keepers of the stream", 1_000, "lifetime", True),
    ("Headwaters circle", 2_500, "lifetime", True),
    ("Board and founders", 0, "lifetime", False),
]


def make() -> None:
    """In the active organization, whose gifts are there."""
    clubs = [
        DonorClub.objects.create(name=name, minimum=minimum, basis=basis, is_automatic=is_automatic)
        for name, minimum, basis, is_automatic in CLUBS
    ]
    run = placing.begin()
    while running.turn(run.pk):
        pass
    for donor in Donor.objects.filter(club=clubs[2]).order_by("pk")[:2]:
        donors.place_by_hand(donor, clubs[3])
