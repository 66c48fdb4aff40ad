"""What templates ask of the composition."""
