"""The engine; it knows no provider by name."""
