"""Where this app listens to the apps below."""


def connect() -> None:
    """Start listening; called once when the app is ready."""
