"""Columns and record kinds: what each layer holds, in which unit, under which names it arrives.

For reading, checking, forms and documents alike; not for the words inside a column (see `model.vocab`).
"""

from geotools.model.schema.columns import Column, Schema
from geotools.model.schema.conform import conform, reading, renaming
from geotools.model.schema.issues import ISSUE_COLUMNS, Issue, issues_frame, join_issues, worst
from geotools.model.schema.kinds import KINDS, kind_of, schema
from geotools.model.schema.recognise import kind_of_content

__all__ = [
    "ISSUE_COLUMNS",
    "KINDS",
    "Column",
    "Issue",
    "Schema",
    "conform",
    "issues_frame",
    "join_issues",
    "kind_of",
    "kind_of_content",
    "reading",
    "renaming",
    "schema",
    "worst",
]
