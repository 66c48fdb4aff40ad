"""Tests of thank-yous and notes."""
