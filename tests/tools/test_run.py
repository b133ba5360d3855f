"""`tarn run`: what is executed, with which words, in which environment, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

from command_support import STAND_IN, TARN, CommandTest

SHOW_WORDS = "import json, sys; print(json.dumps(sys.argv))"
SHOW_SETTINGS = """
import json, os
names = ("LD_PRELOAD", "TARN_GEOMETRY", "TARN_CHECKS", "TARN_GC", "TARN_QUIET", "TARN_REPORT_DIR")
print(json.dumps({name: os.environ[name] for name in names if name in os.environ}))
"""
# With and without a report the program is started in different ways; both have to be transparent.
WAYS: tuple[tuple[str, ...], ...] = ((), ("--report=report.json",))


class WordsTest(CommandTest):
    def words(self, *words: str | Path) -> list[str]:
        result = self.tarn("run", *words)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)

    def setUp(self) -> None:
        super().setUp()
        self.write("app.py", SHOW_WORDS)
        self.write("show.py", SHOW_WORDS)

    def test_the_commands_words_arrive_as_they_are(self) -> None:
        odd = ["", " ", "a b", "'", '"', "$HOME", "*", "\\", "--", "--report", "-h", "-c", "é", "\n"]
        for way in WAYS:
            with self.subTest(way=way):
                self.assertEqual(self.words(*way, "python3", "app.py", *odd), ["app.py", *odd])
                self.assertEqual(self.words(*way, "app.py", *odd), ["app.py", *odd])
                self.assertEqual(self.words(*way, "--", "python3", "app.py", *odd), ["app.py", *odd])
                self.assertEqual(self.words(*way, "-c", SHOW_WORDS, *odd), ["-c", *odd])

    def test_words_that_are_not_utf_8_arrive_as_they_are(self) -> None:
        for way in WAYS:
            result = self.tarn("run", *way, "printf", "%s", os.fsdecode(b"\xff\x80"))
            self.check(result, 0, os.fsdecode(b"\xff\x80"))

    def test_a_module_is_run_by_python(self) -> None:
        words = self.words("-m", "show", "--quiet", "-m")
        self.assertEqual(words[1:], ["--quiet", "-m"])

    def test_a_file_that_is_not_executable_is_run_by_python(self) -> None:
        self.write("my-script", SHOW_WORDS)
        self.assertEqual(self.words("my-script", "x"), ["my-script", "x"])
        self.assertEqual(self.words("./my-script"), ["./my-script"])

    def test_an_executable_file_is_run_as_it_is(self) -> None:
        self.write("program", '#!/bin/sh\nprintf \'["%s"]\' "$0"\n', 0o755)
        self.assertEqual(self.words("./program"), ["./program"])

    def test_a_file_without_a_first_line_is_run_by_a_shell_as_shells_do(self) -> None:
        self.write("program", 'printf \'["%s"]\' "$1"\n', 0o755)
        for way in WAYS:
            self.assertEqual(self.words(*way, "./program", "x"), ["x"])

    def test_a_dash_is_a_program_on_standard_input(self) -> None:
        for way in WAYS:
            self.check(self.tarn("run", *way, "-", "x", input=SHOW_WORDS), 0, '["-", "x"]\n')

    def test_pythons_own_options_may_stand_before_a_file(self) -> None:
        self.write("flags.py", "import sys; print(sys.flags.dev_mode, sys.flags.bytes_warning)")
        self.check(self.tarn("run", "-X", "dev", "-bb", "flags.py"), 0, "True 2\n")
        self.check(self.tarn("run", "-bb", "--quiet", "-c", "import flags"), 0, "False 2\n")
        self.check(self.tarn("run", "python3", "-X", "dev", "flags.py"), 0, "True 0\n")

    def test_pythons_own_options_alone_start_python(self) -> None:
        self.check(self.tarn("run", "-q", input="print(6 * 7)"), 0, "42\n")

    def test_another_python_can_be_named(self) -> None:
        self.write("bin/other", '#!/bin/sh\necho other "$@"\n', 0o755)
        self.check(self.tarn("run", "--python", "other", "app.py", "x"), 0, "other app.py x\n")
        self.check(self.tarn("run", f"--python={self.binaries}/other", "-u", "-m", "x"), 0,
                   "other -u -m x\n")

    def test_behind_the_dashes_a_python_file_is_a_program_like_any_other(self) -> None:
        self.check(self.tarn("run", "--", "app.py"), 127, errors="tarn: app.py: command not found "
                   "(behind '--' a .py file is not given to Python)\n")


class EnvironmentTest(CommandTest):
    def settings(self, *options: str) -> dict[str, str]:
        result = self.tarn("run", *options, "-c", SHOW_SETTINGS)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return json.loads(result.stdout)

    def test_the_library_is_preloaded_and_nothing_else_is_set(self) -> None:
        self.assertEqual(self.settings(), {"LD_PRELOAD": STAND_IN})

    def test_options_become_variables(self) -> None:
        self.assertEqual(self.settings("--geometry", "classic", "--checks=debug", "--gc=stock", "--quiet"),
                         {"LD_PRELOAD": STAND_IN, "TARN_GEOMETRY": "classic",
                          "TARN_CHECKS": "debug", "TARN_GC": "stock", "TARN_QUIET": "1"})

    def test_the_last_of_two_options_counts(self) -> None:
        settings = self.settings("--geometry", "classic", "--geometry=modern")
        self.assertEqual(settings["TARN_GEOMETRY"], "modern")

    def test_variables_of_the_user_stay(self) -> None:
        self.environment.update(TARN_GEOMETRY="modern", TARN_REPORT_DIR="/elsewhere",
                                LD_PRELOAD="libc.so.6")
        # Where tarn is built with AddressSanitizer, that wants to be the first of preloaded libraries.
        self.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"
        self.assertEqual(self.settings(),
                         {"LD_PRELOAD": f"{STAND_IN}:libc.so.6", "TARN_GEOMETRY": "modern",
                          "TARN_REPORT_DIR": "/elsewhere"})

    def test_the_command_itself_is_preloaded_for(self) -> None:
        self.check(self.tarn("run", TARN[-1], "run", "printenv", "LD_PRELOAD"), 0, f"{STAND_IN}\n")

    def test_with_a_report_there_is_a_private_folder_for_it(self) -> None:
        code = ("import os, stat; folder = os.environ['TARN_REPORT_DIR'];"
                "print(oct(stat.S_IMODE(os.stat(folder).st_mode)), os.path.dirname(folder))")
        self.check(self.tarn("run", "--report=r.json", "-c", code), 0, f"0o700 {self.temporary}\n")
        self.assert_nothing_is_left()

    def test_the_library_is_found_beside_the_command_as_built_and_as_installed(self) -> None:
        del self.environment["TARN_LIBRARY"]
        (self.folder / "tree/bin").mkdir(parents=True)
        command = self.folder / "tree/bin/tarn"
        shutil.copy(TARN[-1], command)
        for place in ("lib/tarn", "lib"):  # the build tree's goes first
            library = self.folder / "tree" / place / "libtarn-python.so"
            library.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(STAND_IN, library)
            result = subprocess.run([*TARN[:-1], command, "run", "printenv", "LD_PRELOAD"],
                                    env=self.environment, capture_output=True, text=True)
            self.check(result, 0, f"{library}\n")

    def test_where_the_library_was_looked_for_is_said(self) -> None:
        del self.environment["TARN_LIBRARY"]
        command = self.folder / "bin/tarn"
        shutil.copy(TARN[-1], command)
        result = subprocess.run([*TARN[:-1], command, "run", "true"], env=self.environment,
                                capture_output=True, text=True)
        self.check(result, 1, errors="tarn: libtarn-python.so is missing; looked for "
                   f"{self.folder}/lib/libtarn-python.so, {self.folder}/lib/tarn/libtarn-python.so; "
                   "set TARN_LIBRARY to its path\n")

    def test_a_library_that_the_loader_can_not_name_is_refused(self) -> None:
        library = self.folder / "my library.so"
        library.symlink_to(STAND_IN)
        self.environment["TARN_LIBRARY"] = str(library)
        self.check(self.tarn("run", "-c", "pass"), 1,
                   errors=f"tarn: LD_PRELOAD can't hold a path with a space or a colon: {library}; "
                   "set TARN_LIBRARY to a link to it whose path has none\n")

    def test_a_missing_library_is_said(self) -> None:
        self.environment["TARN_LIBRARY"] = "/nowhere/lib.so"
        self.check(self.tarn("run", "-c", "pass"), 1,
                   errors="tarn: TARN_LIBRARY names no file: /nowhere/lib.so\n")


class EndTest(CommandTest):
    def test_the_exit_status_is_the_programs(self) -> None:
        for way in WAYS:
            for status in (0, 1, 2, 7, 126, 127, 255):
                self.check(self.tarn("run", *way, "-c", f"raise SystemExit({status})"), status)

    def test_a_program_that_a_signal_ends_makes_tarn_end_by_it(self) -> None:
        for way in WAYS:
            for name in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGABRT,
                         signal.SIGSEGV, signal.SIGPIPE):
                with self.subTest(way=way, signal=name):
                    code = f"kill -{int(name)} $$"
                    self.check(self.tarn("run", *way, "sh", "-c", code), -name)

    def test_a_signal_leaves_no_core_file_of_tarns(self) -> None:
        result = self.tarn("run", "--report=r.json", "sh", "-c", "ulimit -c 0; kill -ABRT $$")
        self.assertEqual(result.returncode, -signal.SIGABRT)
        self.assertEqual([path.name for path in self.folder.iterdir() if "core" in path.name], [])

    def test_a_missing_program_ends_with_127(self) -> None:
        for way in WAYS:
            self.check(self.tarn("run", *way, "missing"), 127,
                       errors="tarn: missing: command not found\n")
            self.check(self.tarn("run", *way, "./missing", "x"), 127,
                       errors="tarn: ./missing: command not found\n")
        self.check(self.tarn("run", "--python", "python9", "-c", "pass"), 127,
                   errors="tarn: python9: command not found\n")

    def test_what_can_not_be_executed_ends_with_126(self) -> None:
        self.write("shell", "#!/bin/sh\n")
        (self.folder / "inner").mkdir()
        for way in WAYS:
            self.check(self.tarn("run", *way, "./shell"), 126, errors="tarn: ./shell: not executable\n")
            self.check(self.tarn("run", *way, "./inner"), 126, errors="tarn: ./inner: is a folder\n")

    def test_a_missing_interpreter_is_said(self) -> None:
        self.write("script", "#!/nowhere/shell\n", 0o755)
        for way in WAYS:
            self.check(self.tarn("run", *way, "./script"), 127,
                       errors="tarn: ./script: its interpreter is missing\n")
        self.assert_nothing_is_left()

    def test_the_streams_are_the_programs(self) -> None:
        code = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.stderr.write('oh')"
        for way in WAYS:
            self.check(self.tarn("run", *way, "-c", code, input="a\nb"), 0, "A\nB", "oh")

    def test_the_process_is_the_program_itself_when_there_is_no_report(self) -> None:
        process = self.start("run", "-c", "import os; print(os.getpid(), os.getppid())")
        output, _ = process.communicate()
        self.assertEqual(output, f"{process.pid} {os.getpid()}\n")

    def test_the_program_has_no_open_file_that_it_did_not_get(self) -> None:
        code = "import os; print(sorted(os.listdir('/proc/self/fd')))"
        for way in WAYS:
            # The fourth is the one by which the folder is read.
            self.check(self.tarn("run", *way, "-c", code), 0, "['0', '1', '2', '3']\n")

    def test_signals_are_as_they_were_when_tarn_was_started(self) -> None:
        code = ("import signal; print(*map(repr, map(signal.getsignal, (signal.SIGCHLD, signal.SIGHUP))),"
                "signal.pthread_sigmask(signal.SIG_BLOCK, []))")

        def ignore_and_block() -> None:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR2])

        expected = self.tarn("run", "-c", code, preexec_fn=ignore_and_block)
        self.assertIn("SIG_IGN", expected.stdout)
        self.assertIn("SIGUSR2", expected.stdout)
        self.check(self.tarn("run", "--report=r.json", "-c", code, preexec_fn=ignore_and_block), 0,
                   expected.stdout)


class NeverSilentlyOffTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        if os.getuid() != 0:
            self.skipTest("only root can give a file to another user")
        self.program = self.folder / "true"
        self.program.write_bytes(Path("/bin/true").read_bytes())
        os.chown(self.program, 65534, 65534)
        self.program.chmod(0o4755)
        self.message = "it is setuid, so the loader ignores LD_PRELOAD"
        if os.statvfs(self.folder).f_flag & os.ST_NOSUID:
            self.skipTest("the temporary folder's file system ignores setuid")

    def test_a_setuid_program_is_said_to_run_without_tarn(self) -> None:
        self.check(self.tarn("run", "./true"), 0,
                   errors=f"tarn: ./true runs without Tarn: {self.message}\n")

    def test_unless_it_has_to_be_quiet(self) -> None:
        self.check(self.tarn("run", "--quiet", "./true"), 0)
        self.environment["TARN_QUIET"] = "1"
        self.check(self.tarn("run", "./true"), 0)

    def test_the_report_says_it_too(self) -> None:
        result = self.tarn("run", "--quiet", "--report", "./true")
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertRegex(result.stderr,
                         rf"\Atarn: no report from ./true \(process \d+\): {self.message}\n\Z")


if __name__ == "__main__":
    unittest.main()
