"""The page's own style sheets and scripts without what only people read: comments, indentation, blanks between signs.

For our own files, whose manner is known; libraries are embedded as they come. Nothing is renamed, no line end is taken away.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"|(?P<note>//[^\n]*|/\*.*?\*/)"
    r"|(?P<blank>[ \t]+)"
    r"|(?P<word>[\w$]+)"
    r"|(?P<sign>.|\n)",
    re.DOTALL,
)
_EXPRESSION = re.compile(r"/(?![/*])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_OPENS = frozenset("(,=:[!&|?{};+-*%<>\n")  # before a regular expression; after anything else a slash divides


def style(text: str) -> str:
    """A style sheet without comments and spaces that mean nothing; our sheets hold no text in which they would."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*([{};,])\s*", r"\1", text).replace(";}", "}")
    return re.sub(r":\s+", ":", text).strip() + "\n"


@lru_cache(maxsize=32)
def script(text: str) -> str:
    """A script without comments, indentation, empty lines, and blanks that part nothing.

    Texts and regular expressions stay as they are; a blank stays between words, and between signs that would become another.

    Examples
    --------
    >>> script('const a = b + +c; // why' + chr(10) + '  f("x  y", /a b/g); return a / 2 / b;')
    'const a=b+ +c;\\nf("x  y",/a b/g);return a/2/b;\\n'
    """
    out: list[str] = []
    at, blank = 0, False
    while at < len(text):
        last = out[-1] if out else "\n"
        if (
            text[at] == "/"
            and (last[-1] in _OPENS or last in ("return", "typeof"))
            and (found := _EXPRESSION.match(text, at))
        ):
            kind = "text"
        else:
            matched = _TOKEN.match(text, at)
            assert matched is not None  # every character is a sign
            found, kind = matched, str(matched.lastgroup)
        at = found.end()
        if kind in ("blank", "note"):
            blank = True
            continue
        piece = found[0]
        if piece == "\n":
            blank = True
            if last != "\n":
                out.append(piece)
            continue
        if blank and _parts(last, piece):
            out.append(" ")
        out.append(piece)
        blank = False
    return "".join(out).strip() + "\n"


def _parts(left: str, right: str) -> bool:
    """Whether two pieces need a blank between them: words, and signs such as ``+ +`` that would become one."""
    a, b = left[-1], right[0]
    worded = [c.isalnum() or c in "_$" for c in (a, b)]
    return all(worded) or (a == b and a in "+-/")
