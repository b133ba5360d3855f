"""Words that tarn understands, and the one line that it says for those that it doesn't."""

from __future__ import annotations

import re
import unittest

from command_support import CommandTest


class CommandLineTest(CommandTest):
    def refuses(self, words: list[str], message: str) -> None:
        with self.subTest(words=words):
            self.check(self.tarn(*words), 2, errors=f"tarn: {message}\n")

    def test_alone_it_shows_help_and_ends_with_2(self) -> None:
        result = self.tarn()
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stdout, "")
        self.assertIn("Usage: tarn COMMAND", result.stderr)

    def test_help_names_every_command_and_has_an_example(self) -> None:
        for option in ("--help", "-h"):
            result = self.tarn(option)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertRegex(result.stdout, r"(?m)^  run +run a program")
            self.assertRegex(result.stdout, r"(?m)^  doctor +say whether")
            self.assertRegex(result.stdout, r"(?m)^  ledger +show where")
            self.assertRegex(result.stdout, r"(?m)^  release +have a process")
            self.assertIn("Example:\n  tarn run --report app.py\n", result.stdout)

    def test_each_commands_help_has_its_usage_and_an_example_within_80_columns(self) -> None:
        for command in ("run", "doctor", "ledger", "release", "sites"):
            for option in ("--help", "-h"):
                result = self.tarn(command, option)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn(f"\nUsage: tarn {command} [OPTION...]", result.stdout)
                self.assertIn(f"\nExamples:\n  tarn {command}", result.stdout)
                self.assertEqual([line for line in result.stdout.splitlines() if len(line) > 80], [])

    def test_help_of_run_names_every_option(self) -> None:
        output = self.tarn("run", "--help").stdout
        for option in ("-h, --help", "--report[=FILE]", "--python=PATH", "--geometry=NAME",
                       "--checks=NAME", "--quiet"):
            self.assertRegex(output, rf"(?m)^  {re.escape(option)}( |$)")

    def test_version_is_the_projects(self) -> None:
        result = self.tarn("--version")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"\Atarn \d+\.\d+\.\d+\n\Z")

    def test_output_that_can_not_be_written_is_an_error(self) -> None:
        with open("/dev/full", "w") as full:
            result = self.tarn("--help", stdout=full)
        self.assertEqual((result.returncode, result.stderr),
                         (1, "tarn: standard output: No space left on device\n"))

    def test_unknown_words_are_said(self) -> None:
        self.refuses(["--frob"], "unknown option '--frob'; try 'tarn --help'")
        self.refuses(["frob"], "unknown command 'frob'; try 'tarn --help'")
        self.refuses(["fr\x1b[2Job"], "unknown command 'fr\\x1b[2Job'; try 'tarn --help'")
        self.refuses(["app.py"],
                     "unknown command 'app.py'; did you mean 'tarn run app.py'?; try 'tarn --help'")

    def test_wrong_arguments_of_run_are_said(self) -> None:
        help = "; try 'tarn run --help'"
        self.refuses(["run"], f"no command to run{help}")
        self.refuses(["run", "--"], f"no command to run{help}")
        self.refuses(["run", "--report"], f"no command to run{help}")
        self.refuses(["run", "--frob", "x"], f"unknown option '--frob'{help}")
        self.refuses(["run", "--frob=1", "x"], f"unknown option '--frob'{help}")
        self.refuses(["run", "-Z", "x"], f"unknown option '-Z'{help}")
        self.refuses(["run", "--geometry", "flat", "x"],
                     f"--geometry: 'flat' is not one of tarn, classic, modern{help}")
        self.refuses(["run", "--gc=never", "x"],
                     f"--gc: 'never' is not one of adaptive, stock{help}")
        self.refuses(["run", "--checks=all", "x"],
                     f"--checks: 'all' is not one of none, debug{help}")
        self.refuses(["run", "--python"], f"--python needs a value{help}")
        self.refuses(["run", "--quiet=1", "x"], f"--quiet takes no value{help}")
        self.refuses(["run", "--report=", "x"], f"--report has no value behind '='{help}")
        self.refuses(["run", "--python", "p", "ls"],
                     f"--python is for Python files, -m and -c, not for the command 'ls'{help}")
        self.refuses(["run", "-u", "--", "ls"],
                     "'-u' is an option of Python's, but what stands behind '--' is run as it is"
                     f"{help}")

    def test_wrong_arguments_of_doctor_are_said(self) -> None:
        help = "; try 'tarn doctor --help'"
        self.refuses(["doctor", "--frob"], f"unknown option '--frob'{help}")
        self.refuses(["doctor", "-x"], f"unknown option '-x'{help}")
        self.refuses(["doctor", "a", "b"], f"unexpected argument 'b'{help}")
        self.refuses(["doctor", "--json=yes"], f"--json takes no value{help}")


if __name__ == "__main__":
    unittest.main()
