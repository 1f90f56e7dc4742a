"""Floor 0: words, schemas, errors and settings of the trade.

For what every floor above agrees on; not for reading files or computing anything on the ground.
"""
