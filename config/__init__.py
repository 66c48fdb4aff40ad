"""Composition: settings, addresses, the two admin sites. Nothing imports this package."""
