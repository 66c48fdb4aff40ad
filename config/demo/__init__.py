"""The demo: two invented organizations, a sandbox for their vendors, and everything running on this machine."""
