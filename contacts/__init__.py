"""Who we know: tenants and the people who log in, contacts, lists, consent. The floor of the house."""
