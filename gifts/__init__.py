"""What they gave: gifts, pledges, totals and milestones. It knows contacts; nobody below knows it."""
