"""What the code may never do, read from its syntax: run text, unpickle, use a shell, trust XML, archives or the network."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import geotools

ROOT = Path(geotools.__file__).parent
SOURCES = sorted(p for p in ROOT.rglob("*.py") if "assets" not in p.parts)

# Modules that bring nothing but danger here.
MODULES = {
    "pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "yaml", "lxml", "xml.dom", "xml.dom.minidom", "xml.dom.pulldom", "xml.sax.expatreader",
    "requests", "urllib3", "urllib.request", "http.client", "httpx", "aiohttp", "socket", "ftplib", "smtplib", "telnetlib", "ctypes", "imp", "code", "pty", "commands", "tarfile", "crypt",
}  # fmt: skip
# Calls by the end of their dotted name.
CALLS = {
    "eval", "exec", "compile", "__import__", "input", "breakpoint", "os.system", "os.popen", "os.execv", "os.execvp", "os.spawnl", "os.spawnv", "os.startfile", "tempfile.mktemp",
    "pd.read_pickle", "pandas.read_pickle", "pd.eval", "shutil.unpack_archive", "subprocess.getoutput", "subprocess.getstatusoutput", "os.chmod", "os.umask",
}  # fmt: skip
METHODS = {"to_pickle", "read_pickle", "extractall", "eval"}
# XML is made with ElementTree; it is only ever read through `io.markup`, which refuses DTDs and entities.
XML_READING = {
    "parse",
    "fromstring",
    "fromstringlist",
    "iterparse",
    "XML",
    "XMLID",
    "XMLParser",
    "XMLPullParser",
    "parseString",
    "make_parser",
}
PARSERS = {"io/markup.py"}
PROCESSES = {
    "cli/notebook.py",
    "io/environment.py",
}  # JupyterLab on one's own records; asking programs for their version
ADVICE = "see what else does it in geotools, or say in DESIGN why it is needed"


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a name or attribute; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return ""


def imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        return {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return set()


def faults(tree: ast.AST, place: str) -> Iterator[str]:
    for node in ast.walk(tree):
        for name in imported(node):
            if name in MODULES or name.split(".")[0] in MODULES:
                yield f"{node.lineno}: imports {name}"  # type: ignore[attr-defined]
            if name.split(".")[0] == "subprocess" and place not in PROCESSES:
                yield f"{node.lineno}: starts processes"  # type: ignore[attr-defined]
            if name == "xml.parsers.expat" and place not in {*PARSERS, "io/gpx/document.py"}:
                yield f"{node.lineno}: parses XML by itself"  # type: ignore[attr-defined]
        if isinstance(node, ast.Call):
            yield from _call(node, place)


def _call(node: ast.Call, place: str) -> Iterator[str]:
    name = dotted(node.func)
    last = name.rpartition(".")[2]
    given = {k.arg: k.value for k in node.keywords if k.arg}
    if name in CALLS or (name.count(".") and last in METHODS):
        yield f"{node.lineno}: calls {name}"
    if isinstance(given.get("shell"), ast.Constant) and given["shell"].value:
        yield f"{node.lineno}: uses a shell"
    if (
        name.startswith("subprocess.")
        and node.args
        and not isinstance(node.args[0], ast.List | ast.Name | ast.Attribute)
    ):
        yield f"{node.lineno}: a command that is not a list of words"
    if name in ("np.load", "numpy.load") and not (
        isinstance(given.get("allow_pickle"), ast.Constant) and given["allow_pickle"].value is False
    ):
        yield f"{node.lineno}: np.load without allow_pickle=False"
    if (
        last in XML_READING
        and name.split(".")[0] in ("ET", "ElementTree", "etree", "minidom", "sax", "xml")
        and place not in PARSERS
    ):
        yield f"{node.lineno}: reads XML without defence ({name})"
    if name == "expat.ParserCreate" and place not in PARSERS:
        yield f"{node.lineno}: an XML parser of its own"
    if last == "Markup" or (name.endswith("Environment") and given.get("autoescape") is None and "jinja2" in name):
        yield f"{node.lineno}: HTML without escaping ({name})"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_runs_what_files_say(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    found = list(faults(ast.parse(path.read_text("utf-8")), place))
    assert not found, f"{place} {'; '.join(found)}: {ADVICE}"


BAD = (
    "import pickle", "from os import system\nimport yaml", "import subprocess", "x = eval('1')", "exec('')", "__import__('os')", "import os\nos.system('x')",
    "subprocess.run('x', shell=True)", "subprocess.run('ls -l')", "import tempfile\ntempfile.mktemp()", "ET.parse('x')", "ET.fromstring(b'')", "from xml.dom import minidom",
    "np.load('x')", "np.load('x', allow_pickle=True)", "frame.eval('a')", "archive.extractall('x')", "pd.read_pickle('x')", "import urllib.request", "from xml.parsers import expat",
)  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_the_rules_find_what_they_are_for(text: str) -> None:
    assert list(faults(ast.parse(text), "anywhere.py")), text
