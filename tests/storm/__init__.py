"""Processes are killed while a Sync runs; the judge is what the sandbox holds."""
