"""The memory managers that a Python program can be run under: for each, what goes before the command and around it.

To add one, write a function that builds it and enter it in `KNOWN`.
"""

from __future__ import annotations

import os
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from python_bench import measure


@dataclass(frozen=True)
class Configuration:
    name: str
    # Words before the Python command.
    prefix: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    # A library that must be found mapped into the process, or the configuration isn't what it claims to be.
    library: str | None = None

    def command(self, python: str, arguments: list[str]) -> list[str]:
        return [*self.prefix, python, *arguments]

    def description(self, python: str) -> str:
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        return " ".join([*settings, *self.command(python, [])])


class Unavailable(Exception):
    """This machine can't run the configuration; the text says why and what would help."""


def _stock(name: str, tarn: Path) -> Configuration:
    return Configuration(name)


def _tarn(environment: dict[str, str], name: str, tarn: Path) -> Configuration:
    if not os.access(tarn, os.X_OK) or not tarn.is_file():
        raise Unavailable(f"{tarn} isn't there; build it with scripts/build, or name another with --tarn")
    return Configuration(name, (str(tarn), "run", "--"), environment, "libtarn-python.so")


def _glibc(name: str, tarn: Path) -> Configuration:
    return Configuration(name, (), {"PYTHONMALLOC": "malloc"})


def _library_folders() -> list[Path]:
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    return [Path("/usr/lib") / multiarch, Path("/usr/local/lib"), Path("/usr/lib64"), Path("/usr/lib")]


def _preloaded(library: str, package: str, name: str, tarn: Path) -> Configuration:
    """An allocator that takes malloc's place, with pymalloc switched off so that every request reaches it."""
    for folder in _library_folders():
        if (folder / library).exists():
            environment = {"PYTHONMALLOC": "malloc", "LD_PRELOAD": str(folder / library)}
            return Configuration(name, (), environment, library.split(".so")[0])
    raise Unavailable(f"{library} isn't on this machine; install it with: apt-get install {package}")


KNOWN: dict[str, Callable[[str, Path], Configuration]] = {
    "stock": _stock,
    "tarn": partial(_tarn, {}),
    "tarn-classic": partial(_tarn, {"TARN_GEOMETRY": "classic"}),
    "tarn-modern": partial(_tarn, {"TARN_GEOMETRY": "modern"}),
    # The allocator alone: collections of cycles at CPython's pace.
    "tarn-stock-gc": partial(_tarn, {"TARN_GC": "stock"}),
    # All on but for one part.
    "tarn-release-off": partial(_tarn, {"TARN_RELEASE": "off"}),
    "tarn-large-general": partial(_tarn, {"TARN_LARGE": "general"}),
    # What 'tarn run --sites' sets.
    "tarn-sites": partial(_tarn, {"TARN_SITES": "524288"}),
    "glibc": _glibc,
    "mimalloc": partial(_preloaded, "libmimalloc.so.2", "libmimalloc2.0"),
    "jemalloc": partial(_preloaded, "libjemalloc.so.2", "libjemalloc2"),
    "tcmalloc": partial(_preloaded, "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
}

# Names for several.
GROUPS = {
    "parts": ["stock", "tarn", "tarn-stock-gc", "tarn-release-off", "tarn-large-general"],
    "peers": ["stock", "tarn", "glibc", "mimalloc", "jemalloc", "tcmalloc"],
    "all": ["stock", "tarn", "tarn-stock-gc", "tarn-release-off", "glibc", "mimalloc", "jemalloc", "tcmalloc"],
}

# Prints the version and which libraries are mapped.
_PROBE = """
import platform, sys
print(platform.python_implementation(), platform.python_version())
print(*sorted({line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if ".so" in line}), sep="\\n")
"""


def expand(names: list[str]) -> list[str]:
    """Groups replaced by what they stand for; each once, in order."""
    return list(dict.fromkeys(one for name in names for one in GROUPS.get(name, [name])))


def build(name: str, tarn: Path) -> Configuration:
    return KNOWN[name](name, tarn)


def probe(configuration: Configuration, python: str) -> str:
    """Run Python once under the configuration; returns implementation and version.

    A preloaded library that doesn't load is only a warning of the linker's, and a hook may decline to take over:
    either would measure stock against stock. Both are found here.
    """
    with tempfile.TemporaryDirectory(prefix="bench-python-") as reports:
        environment = {**configuration.environment, "TARN_REPORT_DIR": reports}
        run = measure.run(configuration.command(python, ["-c", _PROBE]), environment, timeout=60)
        if run.failure:
            raise Unavailable(f"python doesn't start under it: {run.failure}")
        version, *libraries = run.output.splitlines()
        wanted = configuration.library
        if wanted and not any(Path(library).name.startswith(wanted) for library in libraries):
            raise Unavailable(f"{wanted} didn't load into {python}; {run.errors.strip() or 'the linker said nothing'}")
        for report in Path(reports).iterdir():
            facts = dict(line.partition(" ")[::2] for line in report.read_text(errors="replace").splitlines())
            if facts.get("state") == "off":
                raise Unavailable(f"Tarn stayed off in {python}: {facts.get('reason', 'no reason given')}")
    return version
