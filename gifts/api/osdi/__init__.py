"""OSDI, as the donation helper’s document describes it: people, fundraising pages, donations, tags; HAL throughout."""
