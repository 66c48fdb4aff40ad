"""OSDI, as the donation helper’s document describes it: people, fundraising pages, donations, tags; HAL throughout."""

SCOPE = "osdi"
WORDS = "Donation pages (OSDI): people, fundraising pages, donations and tags, to read and to write"
