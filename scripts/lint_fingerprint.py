"""Prints one hash of all that clang-tidy's findings on a source depend on: its text, the project's
headers it includes, how it is compiled, and the settings. System headers count by name only.

    lint_fingerprint.py COMPILE_COMMANDS.json SOURCE
"""

import hashlib
import json
import pathlib
import shlex
import subprocess
import sys


def compile_command(database: pathlib.Path, source: pathlib.Path) -> tuple[list[str], str]:
    for entry in json.loads(database.read_text()):
        if pathlib.Path(entry["directory"], entry["file"]).resolve() == source:
            return shlex.split(entry["command"]), entry["directory"]
    sys.exit(f"{source}: not compiled by the preset debug; its folder's CMakeLists.txt doesn't name it")


def project_headers(command: list[str], directory: str) -> list[pathlib.Path]:
    without_output = [word for word in command if word not in ("-MD", "-c", "ccache")]
    for option in ("-o", "-MF", "-MT"):
        if option in without_output:
            at = without_output.index(option)
            del without_output[at : at + 2]
    if pathlib.Path(without_output[0]).name == "ccache":
        del without_output[0]
    listing = subprocess.run(
        [*without_output, "-MM"], cwd=directory, text=True, capture_output=True, check=False
    )
    if listing.returncode != 0:
        sys.exit(listing.stderr)
    words = listing.stdout.replace("\\\n", " ").split()[1:]
    return sorted(pathlib.Path(directory, word) for word in words)


def main() -> None:
    database, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    command, directory = compile_command(database, source)
    digest = hashlib.sha256(repr(command).encode())
    for path in [pathlib.Path(".clang-tidy"), *project_headers(command, directory)]:
        digest.update(f"\0{path}\0".encode())
        digest.update(path.read_bytes())
    print(digest.hexdigest())


if __name__ == "__main__":
    main()
