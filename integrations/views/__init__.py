"""What staff see and press for integrations; each view reads, calls one verb and answers."""
