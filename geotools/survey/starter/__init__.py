"""A first survey.toml for a folder of files as they come: what each seems to hold, and questions where nobody can know.

For proposing, in writing that a person reads and corrects; nothing in it is used before that file is opened.
"""

from geotools.survey.starter.proposal import Proposal, propose
from geotools.survey.starter.text import as_toml

__all__ = ["Proposal", "as_toml", "propose"]
