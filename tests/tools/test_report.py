"""`tarn run --report`: what is told at exit, from honest programs and from odd ones."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import unittest

from command_support import CommandTest, sample_report

LEAVE = """
import os, sys
def leave(name, text):
    with open(os.path.join(os.environ["TARN_REPORT_DIR"], str(name)), "w") as file:
        file.write(text)
"""
WITHOUT_REPORT = "STAND_IN_REPORT"


class ReportTextTest(CommandTest):
    def report(self, *words: str) -> str:
        result = self.tarn("run", "--report", *words)
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assert_nothing_is_left()
        return re.sub(r"(tarn: |\()process \d+", r"\1process N", result.stderr)

    def leaving(self, code: str) -> str:
        """The report of a Python that runs the code, in which leave(name, text) leaves a report."""
        self.environment.pop(WITHOUT_REPORT, None)
        return self.report("-c", LEAVE + code)

    def test_it_is_told_behind_what_the_program_wrote(self) -> None:
        text = self.report("-c", "import sys; sys.stderr.write('last words\\n')")
        self.assertTrue(text.startswith("last words\ntarn: python3 (process N) on Python 3.11.2\n"))
        self.assertIn("\narenas      2      3       4           2\n", text)
        self.assertIn("\nobj         3     64     5     6      1,000    20          3\n", text)
        self.assertTrue(text.endswith("\nrequests over 512 B and first ones: 9 ever, 8 live now\n"))

    def test_it_has_no_colour_when_it_does_not_go_to_a_terminal(self) -> None:
        self.assertNotIn("\x1b", self.report("-c", "pass"))

    def test_tarn_was_off(self) -> None:
        self.write("report", "tarn-report 1\npid @PID@\nparent 1\nprogram python3\npython 3.11.2\n"
                   "state off\nreason a bad day\nend\n")
        self.assertEqual(self.report("-c", "pass"),
                         "tarn: python3 (process N) was not on Tarn: a bad day\n")

    def test_further_processes_have_a_line_each(self) -> None:
        code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'])"
        text = self.report("-c", code)
        self.assertTrue(text.startswith("tarn: python3 (process N) on Python"))
        self.assertTrue(text.endswith("\ntarn: python3 (process N): arenas peak 3 (3 MiB)\n"))

    def test_a_script_that_starts_a_python_has_its_report_in_full(self) -> None:
        text = self.report("sh", "-c", "python3 -c pass; true")
        self.assertTrue(text.startswith("tarn: no report from sh (process N): it is not a Python\n"
                                        "tarn: python3 (process N) on Python 3.11.2\n"), text)

    def test_a_program_that_is_no_python(self) -> None:
        self.assertEqual(self.report("true"),
                         "tarn: no report from true (process N): it is not a Python\n")

    def test_a_program_that_ends_without_pythons_exit(self) -> None:
        self.assertEqual(
            self.report("-c", "import os; os._exit(0)"),
            "tarn: no report from python3 (process N): it ended without Python's own exit, by "
            "os._exit or by starting another program in its place\n")

    def test_a_program_that_is_killed(self) -> None:
        result = self.tarn("run", "--report", "-c", "import os; os.kill(os.getpid(), 9)")
        self.assertEqual(result.returncode, -9)
        self.assertRegex(result.stderr, r"\Atarn: no report from python3 \(process \d+\): it was ended "
                         r"by SIGKILL, and a process writes its report when it exits\n\Z")
        self.assert_nothing_is_left()

    def test_a_report_that_breaks_off(self) -> None:
        self.write("report", sample_report().removesuffix("end\n"))
        self.assertEqual(self.report("-c", "pass"),
                         "tarn: no report from python3 (process N): what it left can't be used "
                         "(incomplete: the process ended while writing it)\n")

    def test_reports_that_lie_or_are_nonsense(self) -> None:
        for report, problem in (
            ("", "incomplete: the process ended while writing it"),
            ("hello\n", "line 1: not 'tarn-report 1' but 'hello'"),
            ("\x1b[2J\n", "line 1: not 'tarn-report 1' but '\\x1b[2J'"),
            (sample_report(pid="1"), "it says that it is of process 1"),
            (sample_report(arenas_now="-1"), "line 15: arenas_now: '-1' is not a number"),
            (sample_report(program="a\x1bb"), "line 4: a byte that isn't printable"),
            (sample_report() + "x" * 10_000_000, "longer than 256 KiB"),
        ):
            with self.subTest(problem=problem):
                self.write("report", report)
                self.assertEqual(self.report("-c", "pass"),
                                 "tarn: no report from python3 (process N): what it left can't be "
                                 f"used ({problem})\n")

    def test_files_that_are_no_files(self) -> None:
        for make, problem in (
            ("os.mkfifo(path)", "not a regular file"),
            ("os.mkdir(path)", "not a regular file"),
            ("os.symlink('/etc/passwd', path)", "Too many levels of symbolic links"),
        ):
            with self.subTest(make=make):
                code = f"path = os.path.join(os.environ['TARN_REPORT_DIR'], str(os.getpid())); {make}"
                self.assertEqual(self.leaving(code),
                                 "tarn: no report from python3 (process N): what it left can't be "
                                 f"used ({problem})\n")

    def test_names_that_are_no_process_ids_are_passed_over(self) -> None:
        code = "for name in ('x', '0', '-1', '007', '99999999999', '4 2', '.5'): leave(name, 'x')"
        self.assertEqual(self.leaving(code).count("\n"), 1)

    def test_folders_in_the_folder_are_removed_and_links_are_not_followed(self) -> None:
        victim = self.folder / "victim"
        victim.mkdir()
        (victim / "file").touch()
        self.leaving("os.chdir(os.environ['TARN_REPORT_DIR']); os.makedirs('a/b');"
                     f"os.symlink({str(victim)!r}, 'a/link')")
        self.assertTrue((victim / "file").exists())

    def test_a_folder_that_is_gone_is_no_harm(self) -> None:
        text = self.leaving("import shutil; shutil.rmtree(os.environ['TARN_REPORT_DIR'])")
        self.assertTrue(text.startswith("tarn: no report from python3"))

    def test_many_processes_are_counted(self) -> None:
        text = self.leaving("for pid in range(1000000, 1004200): leave(pid, 'x')")
        lines = text.splitlines()
        self.assertEqual(lines[1], "tarn: process N: its report can't be used: line 1: not "
                         "'tarn-report 1' but 'x'")
        self.assertEqual(len(lines), 10)
        self.assertEqual(lines[-1], "tarn: and 4,192 more")

    def test_a_reader_that_went_away_does_not_change_the_status(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        result = self.tarn("run", "--report", "-c", "raise SystemExit(5)", stderr=writing)
        os.close(writing)
        self.assertEqual(result.returncode, 5)

    def test_a_place_for_reports_that_can_not_be_written_is_said(self) -> None:
        self.environment["TMPDIR"] = "/nowhere"
        self.check(self.tarn("run", "--report", "-c", "print('ran')"), 1,
                   errors="tarn: can't make a folder for reports in /nowhere: "
                   "No such file or directory\n")


class ReportFileTest(CommandTest):
    def test_the_file_is_json_for_the_owner_only_and_nothing_is_said(self) -> None:
        file = self.folder / "out.json"
        self.check(self.tarn("run", f"--report={file}", "-c", "raise SystemExit(3)"), 3)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        report = json.loads(file.read_text())
        self.assertEqual(report["tarn_report"], 1)
        self.assertEqual(report["command"], ["python3", "-c", "raise SystemExit(3)"])
        self.assertEqual(report["exit_status"], 3)
        self.assertEqual(report["pid"], report["report"]["pid"])
        self.assertEqual(report["report"]["arenas"]["peak"], 3)
        self.assertEqual(sorted(path.name for path in self.folder.glob("out*")), ["out.json"])

    def test_a_program_without_a_report_has_a_file_that_says_why(self) -> None:
        self.check(self.tarn("run", "--report=out.json", "sh", "-c", "kill -9 $$"), -9)
        report = json.loads((self.folder / "out.json").read_text())
        self.assertEqual((report["signal"], report["exit_status"], report["report"]),
                         ("SIGKILL", None, None))
        self.assertIn("SIGKILL", report["no_report"])

    def test_a_place_that_can_not_be_written_is_said_before_the_program_runs(self) -> None:
        for file, reason in (("/nowhere/out.json", "No such file or directory"),
                             (str(self.folder), "Is a directory"),
                             ("bin/python3/out.json", "Not a directory")):
            with self.subTest(file=file):
                result = self.tarn("run", f"--report={file}", "-c", "print('ran')")
                self.check(result, 2, errors=f"tarn: can't write {file}: {reason}\n")
        self.assert_nothing_is_left()

    def test_a_file_that_was_there_is_replaced_whole_when_the_program_has_ended(self) -> None:
        file = self.write("out.json", "before")
        code = "print(open('out.json').read())"
        self.check(self.tarn("run", "--report=out.json", "-c", code), 0, "before\n")
        self.assertEqual(json.loads(file.read_text())["exit_status"], 0)

    def test_a_program_that_can_not_be_started_leaves_the_file_as_it_was(self) -> None:
        file = self.write("out.json", "before")
        self.write("script", "#!/nowhere\n", 0o755)
        self.assertEqual(self.tarn("run", "--report=out.json", "./script").returncode, 127)
        self.assertEqual(file.read_text(), "before")
        self.assertEqual([path.name for path in self.folder.glob("out*")], ["out.json"])

    def test_a_link_stays_a_link(self) -> None:
        file = self.write("real.json", "")
        (self.folder / "link.json").symlink_to("real.json")
        self.tarn("run", "--report=link.json", "-c", "pass")
        self.assertTrue((self.folder / "link.json").is_symlink())
        self.assertEqual(json.loads(file.read_text())["exit_status"], 0)

    def test_what_is_no_regular_file_is_written_and_not_replaced(self) -> None:
        result = self.tarn("run", "--report=/dev/stdout", "-c", "print('first', flush=True)")
        first, _, report = result.stdout.partition("\n")
        self.assertEqual(first, "first")
        self.assertEqual(json.loads(report)["exit_status"], 0)
        self.check(self.tarn("run", "--report=/dev/null", "-c", "pass"), 0)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_standard_output_in_a_file_is_appended_to(self) -> None:
        with open(self.folder / "all", "a") as file:
            self.tarn("run", "--report=/dev/stdout", "-c", "print('first', flush=True)", stdout=file)
        first, _, report = (self.folder / "all").read_text().partition("\n")
        self.assertEqual(first, "first")
        self.assertEqual(json.loads(report)["exit_status"], 0)

    def test_a_disk_that_is_full_is_said_and_the_status_stays(self) -> None:
        self.check(self.tarn("run", "--report=/dev/full", "-c", "raise SystemExit(4)"), 4,
                   errors="tarn: can't write /dev/full: No space left on device\n")

    def test_a_pipe_can_read_it(self) -> None:
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        reader = subprocess.Popen(["cat", str(fifo)], stdout=subprocess.PIPE, text=True)
        self.check(self.tarn("run", f"--report={fifo}", "-c", "pass"), 0)
        output, _ = reader.communicate(timeout=30)
        self.assertEqual(json.loads(output)["exit_status"], 0)


if __name__ == "__main__":
    unittest.main()
