"""Imports of contacts: a file is read, its columns are matched, every row is looked at, then written, and can be taken
back. The story goes `intake → columns → reading → crowd → deciding → writing`, and for the way back `undoing`; `turns`
takes the work in pieces, `steps` are the buttons."""
