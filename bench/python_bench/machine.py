"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def _field(path: str, name: str) -> str | None:
    """The first value of `name` in a file of `name: value` lines."""
    try:
        for line in Path(path).read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    except OSError:
        pass
    return None


def load_average() -> str:
    return f"{os.getloadavg()[0]:.2f}"


def describe() -> dict[str, str]:
    memory = _field("/proc/meminfo", "MemTotal")
    system = " ".join(platform.libc_ver()).strip()
    try:
        system = f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {system}"
    except (OSError, KeyError):
        pass
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(memory.split()[0]) / 2**20:.1f} GiB" if memory else "unknown",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": system,
        "load": load_average(),
    }
