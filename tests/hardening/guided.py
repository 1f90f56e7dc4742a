"""Coverage-guided fuzzing of the text readers with atheris, where it is installed: python tests/hardening/guided.py geojson -runs=20000

Not part of the test suite; what it finds becomes a case there. The law is that of `test_fuzz_readers`.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

ENDINGS = ("geojson", "geojsonl", "csv", "tsv", "kml", "gpx", "maxml", "nmea", "json")


def main() -> None:
    """First word: the ending; the rest goes to the fuzzer (see -help=1)."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed (pip install atheris)")
    ending = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1] in ENDINGS else ENDINGS[0]
    with atheris.instrument_imports(include=["geotools.io", "geotools.model.schema", "geotools.space.notation"]):
        from geotools import io
        from geotools.model.errors import GeotoolsError
    folder = Path(tempfile.mkdtemp(prefix="guided-"))
    target = folder / f"hazards.{ending}"
    warnings.simplefilter("ignore")

    def one(data: bytes) -> None:
        target.write_bytes(data)
        try:
            frame, issues = io.read_with_issues(target, "hazards", crs="EPSG:4326")
        except GeotoolsError as error:
            assert error.hint
        else:
            assert frame["id"].is_unique
            assert len(issues)

    atheris.Setup([sys.argv[0], *sys.argv[1:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
