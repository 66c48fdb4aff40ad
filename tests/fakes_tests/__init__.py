"""Tests of the sandbox vendors themselves."""
