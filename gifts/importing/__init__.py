"""Gifts from a file: their columns, how amounts are read, whose gift it is, and what is written or taken back."""
