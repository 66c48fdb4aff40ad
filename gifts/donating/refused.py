"""Why a call of a program is not carried out."""


class DonatingRefused(Exception):
    """It cannot be done, with a sentence that names nobody: whoever has no key reads it, too. Nothing was changed."""
