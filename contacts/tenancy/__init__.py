"""Whose rows these are: tenants, people who log in, roles, and the walls between tenants."""
