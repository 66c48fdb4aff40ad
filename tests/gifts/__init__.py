"""Tests of the app of gifts."""
