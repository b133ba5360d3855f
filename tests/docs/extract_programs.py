#!/usr/bin/python3
"""Writes the programs of a guide, and what they print, to files.

    extract_programs.py GUIDE FOLDER

A program is a block of C++ fenced as ```cpp file=NAME.cpp, and the next fenced block of text is its output, NAME.txt.
Prints the names, one a line.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)(?: file=(\w+)\.cpp)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    guide, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    program = ""
    for language, name, text in BLOCK.findall(guide.read_text(encoding="utf-8")):
        if language == "cpp":
            if program or not name:
                print(f"{guide}: a program without a name, or without its output: {text[:60]}", file=sys.stderr)
                return 1
            program = name
            source = folder / f"{name}.cpp"
            if not source.is_file() or source.read_text(encoding="utf-8") != text:
                source.write_text(text, encoding="utf-8")
        elif language == "text" and program:
            (folder / f"{program}.txt").write_text(text, encoding="utf-8")
            print(program)
            program = ""
    return 0


if __name__ == "__main__":
    sys.exit(main())
