"""The command line: a thin skin. Parse, call one library verb, print; nothing is computed here.

This file imports nothing heavier than click, so that `geotools --help` answers at once.
"""

from geotools.cli.main import main

__all__ = ["main"]
