"""Rows as files: which columns there are, how they are read page by page, and how CSV and Excel are written."""
