"""Contacts that may be one person: found, compared, merged, and taken apart again."""
