"""The public APIs of this app, a package for each."""
