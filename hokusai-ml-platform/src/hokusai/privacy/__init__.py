"""People's data: found by what it looks like and by the name of its column, then hashed, masked or dropped.

Pure functions over text and frames; no store, no server, no settings.
"""
