"""All that the author of a provider needs to read: base, http, errors."""
