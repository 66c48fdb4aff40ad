"""What we owe them: thank-yous, with their reasons, and notes by email."""
