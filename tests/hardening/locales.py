"""Locales of the trade's countries, compiled into a folder where the machine has their sources (glibc's localedef)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

NAMES = ("tr_TR", "az_AZ", "ru_RU", "de_DE")


def compiled(folder: Path) -> dict[str, str]:
    """Environment variable LOCPATH for a process, or nothing where locales cannot be made."""
    program = shutil.which("localedef")
    if program is None or not Path("/usr/share/i18n/locales/tr_TR").is_file():
        return {}
    for name in NAMES:
        subprocess.run(
            [program, "-i", name, "-f", "UTF-8", "--no-archive", str(folder / f"{name}.UTF-8")],
            capture_output=True,
            check=False,
        )
    return {"LOCPATH": str(folder)} if (folder / "tr_TR.UTF-8").is_dir() else {}
