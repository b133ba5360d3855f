"""Runs one command and reports what it used. A program of its own, started as `python -I -S launcher.py`.

Why it exists: Linux counts into a process's peak memory what the process was before `exec`, a copy of its parent. A
parent of 200 MiB makes /bin/true peak at 200 MiB. This process imports nothing but built-in modules, so its copy is
smaller (about 5 MiB) than any Python program that is measured.

    launcher.py RESULT_FD NAME=VALUE… -- COMMAND ARGUMENT…

COMMAND is a path; the variables are its whole environment. One line goes to RESULT_FD:
wait status, wall nanoseconds, user seconds, system seconds, peak KiB, minor faults, involuntary context switches.
"""

import posix
import sys
import time


def main(arguments: "list[str]") -> None:
    result = int(arguments[0])
    posix.set_inheritable(result, False)
    separator = arguments.index("--")
    environment = dict(entry.split("=", 1) for entry in arguments[1:separator])
    command = arguments[separator + 1 :]

    started = time.perf_counter_ns()
    child = posix.fork()
    if child == 0:
        try:
            posix.execve(command[0], command, environment)
        except OSError as problem:
            posix.write(2, f"can't start {command[0]}: {problem.strerror}\n".encode())
        finally:
            posix._exit(127)
    _, status, usage = posix.wait4(child, 0)
    wall = time.perf_counter_ns() - started
    fields = (status, wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss, usage.ru_minflt, usage.ru_nivcsw)
    posix.write(result, " ".join(map(str, fields)).encode() + b"\n")


main(sys.argv[1:])
