"""What they gave: gifts, totals and milestones. Nothing lives here yet; the import rules already hold for it."""
