"""Keeps the background jobs alive: `manage.py worker` runs the cluster, watches it and replaces it whole."""
