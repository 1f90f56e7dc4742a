"""Text encodings: which code page a file is in, and text that was read in the wrong one.

For noticing and naming; text that looks wrong is reported, never changed. Note that the Azerbaijani letter ə exists in
neither cp1251 nor cp1254: files in these pages have lost it already.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

import pandas as pd

from geotools.io.raw import Finding

CANDIDATES = ("utf-8", "cp1251", "cp1254", "cp1252", "cp866", "koi8-r", "cp1250", "cp1256")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_CYRILLIC = re.compile(r"[А-Яа-яЁёІіЇїЄєҐґЎўӘәҒғҮүӨөҺһҸҹЈј]")
_CASE_BREAK = re.compile(r"[а-яёіїєґ][А-ЯЁІЇЄҐ]")
_TURKIC = frozenset("çğıöşüÇĞİÖŞÜâîûÂÎÛ")
_SLAVIC = frozenset("šđčćžŠĐČĆŽ")
_SLAVIC_ONLY = frozenset("šćžŠĆŽ")  # đ stands where Turkish pages have ğ, č where French ones have è
_ARABIC = re.compile("[\u0621-\u064a\u067e\u0686\u0698\u06a9\u06af\u06cc]")
_LETTERS_MIN = 12  # below, how often a letter stands says nothing
_LATIN_EXTRA = frozenset("äëïöüßáéíóúàèìòùâêîôûñçåøæÄÖÜÁÉÍÓÚÀÈÌÒÙÂÊÎÔÛÑÇÅØÆ°²³–—’‘“”«»…€")


def bom(data: bytes) -> str | None:
    """The encoding that a byte-order mark announces, or None.

    Examples
    --------
    >>> bom(b"\\xef\\xbb\\xbfid"), bom(b"id")
    ('utf-8-sig', None)
    """
    return next((name for mark, name in _BOMS if data.startswith(mark)), None)


def known(encoding: str) -> str | None:
    """The usual name of an encoding, or None if there is no such encoding.

    Examples
    --------
    >>> known("Windows-1251"), known("1251"), known("nonsense")
    ('cp1251', 'cp1251', None)
    """
    text = encoding.strip().strip("\x00").lower()
    text = {
        "1251": "cp1251",
        "1252": "cp1252",
        "1254": "cp1254",
        "866": "cp866",
        "65001": "utf-8",
        "ansi 1251": "cp1251",
    }.get(text, text)
    try:
        found = codecs.lookup(text.replace("ansi ", "cp"))
    except (LookupError, ValueError):
        return None
    return found.name if found._is_text_encoding else None


def suspect(samples: Iterable[bytes]) -> str | None:
    """The code page that byte strings are most likely in, or None if nothing but ASCII is there.

    Examples
    --------
    >>> suspect(["Füzuli".encode()]), suspect(["Минное поле".encode("cp1251")]), suspect(["Şırnak ılgın".encode("cp1254")])
    ('utf-8', 'cp1251', 'cp1254')
    """
    strange = [s for s in samples if not s.isascii()]
    if not strange:
        return None
    whole = b"\n".join(strange)
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        scores = {name: _plausibility(whole, name) for name in CANDIDATES[1:]}
        return max(scores, key=lambda name: scores[name])
    return "utf-8"


def _plausibility(data: bytes, encoding: str) -> float:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return -1.0
    special = [c for c in text if ord(c) > 127]
    if not special:
        return 0.0
    cyrillic = len(_CYRILLIC.findall(text))
    if encoding in ("cp1251", "cp866", "koi8-r"):
        vowels = sum(c in "аеиоуыэюяіїєАЕИОУЫЭЮЯІЇЄ" for c in text)
        words = [w for w in re.findall(r"\w+", text) if _CYRILLIC.search(w)]
        mixed = sum(bool(re.search(r"[A-Za-z]", w)) for w in words)
        return (
            cyrillic / len(special)
            - 0.5 * len(_CASE_BREAK.findall(text)) / max(cyrillic, 1)
            - 0.8 * mixed / max(len(words), 1)
            + (0.2 if 0.2 < vowels / max(cyrillic, 1) < 0.65 else -0.3)
        )
    if encoding == "cp1256":
        return _arabic(text, special)
    if encoding == "cp1250":
        plain = 0.95 if _SLAVIC_ONLY & set(special) else 0.5
        return plain * sum(c in _SLAVIC for c in special) / len(special)
    familiar = _TURKIC if encoding == "cp1254" else _LATIN_EXTRA
    return 0.9 * sum(c in familiar for c in special) / len(special)


def _arabic(text: str, special: list[str]) -> float:
    """Arabic and Dari have alef and lam in every other word; other text in this page has one or none of them."""
    letters = _ARABIC.findall(text)
    if len(letters) < _LETTERS_MIN:
        return 0.5 * len(letters) / len(special)
    frequent = sum(c in "ال" for c in letters) / len(letters)
    common = 0.1 < frequent < 0.6 and "ل" in letters and "ا" in letters
    return len(letters) / len(special) + (0.25 if common else -0.5)


_UTF8_AS_SINGLE = re.compile(r"[ÂÃÄÅÇÉÐÑÆРСЙГ][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u0402-\u045f°±·µ¶§©®«»¬№]")
_LATIN_WORD = re.compile(r"[À-ÿ]{4,}")
_HALF = re.compile("[\ud800-\udfff]")
_ICELANDIC = re.compile(r"[þðýÞÐÝ]")


def mojibake(text: str) -> str | None:
    """What a garbled text probably is, in words, or None if it looks sound.

    Examples
    --------
    >>> mojibake("FÃ¼zuli")
    'UTF-8 text that was read as cp1252'
    >>> mojibake("Ìèííîå ïîëå")
    'cp1251 text that was read as cp1252'
    >>> mojibake("Füzuli"), mojibake("Минное поле"), mojibake("Ağdam")
    (None, None, None)
    """
    if text.isascii():
        return None
    if "\ufffd" in text or _HALF.search(text):
        return "text with letters that could not be decoded"
    if _UTF8_AS_SINGLE.search(text):
        for page in ("cp1252", "latin-1", "cp1251", "cp1254"):
            try:
                sound = text.encode(page).decode("utf-8")
            except (UnicodeEncodeError, UnicodeDecodeError):
                continue
            if len(sound) < len(text):
                return f"UTF-8 text that was read as {page}"
    if _LATIN_WORD.search(text):
        return "cp1251 text that was read as cp1252"
    if _ICELANDIC.search(text) and not re.search(r"[æÆ]", text):
        return "cp1254 (Turkish) text that was read as cp1252"
    return None


def sound(table: pd.DataFrame, label: str) -> tuple[pd.DataFrame, list[Finding]]:
    """The table with text that can be stored, and an RD-05 finding for each cell that looks garbled.

    Garbled text is reported as it is, at most 20 cells per column, the rest counted. Only half characters (lone
    surrogates), which no file can hold, are replaced by U+FFFD.
    """
    out: list[Finding] = []
    changed: dict[str, pd.Series] = {}
    for name in table.columns:
        if table[name].dtype != object:
            continue
        strange = {v for v in table[name] if isinstance(v, str) and not v.isascii()}
        reasons = {value: reason for value in strange if (reason := mojibake(value))}
        if not reasons:
            continue
        rows = [(i, v, reasons[v]) for i, v in enumerate(table[name]) if isinstance(v, str) and v in reasons]
        out += _told(rows, str(name), label)
        if any(_HALF.search(value) for _, value, _ in rows):
            changed[name] = table[name].map(lambda v: _HALF.sub("\ufffd", v) if isinstance(v, str) else v)
    return (table.assign(**changed) if changed else table), out


def _told(rows: list[tuple[int, str, str]], name: str, label: str) -> list[Finding]:
    out = []
    for row, value, reason in rows[:20]:
        shown = _HALF.sub("\ufffd", value)
        said = f"'{shown[:60]}' in {name} looks like {reason}; try encoding= (--encoding)"
        out.append(Finding("RD-05", "warning", said, row, column=name, value=shown[:200], limit=reason))
    if len(rows) > 20:
        out.append(
            Finding(
                "RD-05",
                "warning",
                f"{label}: {len(rows) - 20} more garbled texts in {name}",
                column=name,
                value=len(rows),
            )
        )
    return out
