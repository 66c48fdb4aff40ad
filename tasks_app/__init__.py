"""What we owe them: thank-you tasks. Nothing lives here yet; the import rules already hold for it."""
