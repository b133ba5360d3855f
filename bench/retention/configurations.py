"""The memory managers that are compared: those of `python_bench`, and jemalloc told to keep nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from python_bench import configurations
from python_bench.configurations import Configuration

TARN_LIBRARY = "libtarn-python.so"


def _of_python_bench(name: str, tarn: Path) -> Configuration:
    return configurations.build(name, tarn)


def _jemalloc_without_decay(tarn: Path) -> Configuration:
    jemalloc = configurations.build("jemalloc", tarn)
    settings = {"MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"}
    return replace(jemalloc, name="jemalloc-decay0", environment={**jemalloc.environment, **settings})


KNOWN = {name: partial(_of_python_bench, name) for name in configurations.KNOWN}
KNOWN["jemalloc-decay0"] = _jemalloc_without_decay
DEFAULT = ["stock", "tarn", "mimalloc", "jemalloc", "jemalloc-decay0", "tcmalloc", "glibc"]


def command(configuration: Configuration, python: str, arguments: list[str], report: Path | None) -> list[str]:
    """The words to run; under Tarn they also ask for its report in that file, if there is to be one."""
    words = configuration.command(python, arguments)
    if configuration.library == TARN_LIBRARY and report is not None:
        words.insert(words.index("--"), f"--report={report}")
    return words
