"""Tests of contacts and lists and of the staff's pages for them."""
