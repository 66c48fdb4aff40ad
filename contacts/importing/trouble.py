"""What can be wrong with a file as a whole."""


class Unreadable(Exception):
    """The file cannot be imported. The message is for the person who chose it: what is wrong, and what to do."""
