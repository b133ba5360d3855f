"""How the scripts answer to --help and to what they don't know."""

import pathlib
import subprocess
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
SHELL_SCRIPTS = ("build", "format", "install-dependencies", "lint", "run", "test")


def run(name: str, *arguments: str, folder: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPTS / name), *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


class Usage(unittest.TestCase):
    def test_help_says_what_a_script_does_and_how_it_is_called(self) -> None:
        for name in SHELL_SCRIPTS:
            with self.subTest(name):
                result = run(name, "--help")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertRegex(result.stdout, rf"^[A-Z].*\.\n\n  scripts/{name}( |$)")

    def test_help_is_the_same_from_any_folder(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name in SHELL_SCRIPTS:
                with self.subTest(name):
                    self.assertEqual(run(name, "--help", folder=folder).stdout, run(name, "--help").stdout)

    def test_an_unknown_option_is_one_line_and_exit_code_2(self) -> None:
        for name in SHELL_SCRIPTS:
            with self.subTest(name):
                result = run(name, "--no-such-option")
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertRegex(result.stderr, rf"^{name}: .*'--no-such-option'.*; see {name} --help\n$")

    def test_an_unknown_preset_is_refused_before_anything_is_built(self) -> None:
        result = run("build", "fastest")
        self.assertEqual(
            (result.returncode, result.stderr),
            (2, "build: there is no preset 'fastest' in CMakePresets.json; see build --help\n"),
        )

    def test_an_unknown_stage_is_refused_with_those_that_exist(self) -> None:
        result = run("test", "layers", "memory")
        self.assertEqual(
            (result.returncode, result.stderr),
            (2, "test: there is no stage 'memory'; the stages are: layers format lint release map debug asan-ubsan tsan"
                " fuzz cpython; see test --help\n"),
        )

    def test_a_program_that_does_not_exist_is_named(self) -> None:
        result = run("run", "/no/such/program.py")
        self.assertEqual(
            (result.returncode, result.stderr), (2, "run: there is no program /no/such/program.py; see run --help\n")
        )

    def test_every_package_is_listed_without_installing_any(self) -> None:
        result = run("install-dependencies", "--list", "build")
        self.assertEqual(result.returncode, 0)
        self.assertIn("cmake\n", result.stdout)
        self.assertNotIn("valgrind", result.stdout)


if __name__ == "__main__":
    unittest.main()
