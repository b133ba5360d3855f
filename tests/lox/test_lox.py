"""The Lox interpreter: the programs in this folder, hostile source, its command line, and its test runner."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
RUN_TESTS = HERE.parents[1] / "examples" / "lox" / "run-tests"
LOX = pathlib.Path(os.environ["TARN_BUILD"], "bin", "lox")


def lox(source: str, timeout: float = 60) -> tuple[int, str, str]:
    """Exit code, output and errors of a program."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "program.lox")
        path.write_text(source)
        done = subprocess.run(
            [str(LOX), str(path)], capture_output=True, text=True, timeout=timeout, check=False
        )
    return done.returncode, done.stdout, done.stderr


def run_tests(folder: pathlib.Path | str, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, str(RUN_TESTS), str(folder), "--lox", str(LOX), f"--arguments={' '.join(arguments)}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Programs(unittest.TestCase):
    def assert_all_pass(self, folder: str, *arguments: str) -> None:
        code, output = run_tests(HERE / folder, *arguments)
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"\A[1-9][0-9]* passed, 0 failed\n\Z")

    def test_do_what_their_comments_say(self) -> None:
        self.assert_all_pass("programs")

    def test_do_so_with_a_collection_before_every_allocation(self) -> None:
        self.assert_all_pass("programs", "--stress")

    def test_large_ones_do(self) -> None:
        self.assert_all_pass("large")


class TestRunner(unittest.TestCase):
    def outcome(self, source: str) -> tuple[int, list[str]]:
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "program.lox").write_text(source)
            code, output = run_tests(folder)
        return code, output.splitlines()

    def assert_fails(self, source: str, reason: str) -> None:
        code, lines = self.outcome(source)
        self.assertEqual((code, lines[0], lines[-1]), (1, "FAIL program.lox", "0 passed, 1 failed"))
        self.assertRegex("\n".join(lines[1:-1]), reason)

    def test_counts_what_passes(self) -> None:
        self.assertEqual(self.outcome("print 1; // expect: 1\n"), (0, ["1 passed, 0 failed"]))

    def test_sees_wrong_output(self) -> None:
        self.assert_fails("print 1; // expect: 2\n", "line 1 of the output is '1', expected '2'")

    def test_sees_output_that_nobody_expects(self) -> None:
        self.assert_fails("print 1;\n", "line 1 of the output is '1', expected nothing")

    def test_sees_a_runtime_error_on_another_line(self) -> None:
        self.assert_fails(
            "-nil;\n// expect runtime error: Operand must be a number.\n", "runtime error on line 1, expected line 2"
        )

    def test_sees_an_unexpected_error(self) -> None:
        self.assert_fails("print ;\n", r"exit code 65, expected 0")

    def test_sees_a_missing_compile_error(self) -> None:
        self.assert_fails("print 1; // Error at ';': Expect expression.\n", "no error on line 1: Error at ';'")


class HostileSource(unittest.TestCase):
    DEEP = 100_000

    def assert_nests_too_deep(self, source: str) -> None:
        code, output, errors = lox(source)
        self.assertEqual((code, output), (65, ""), errors[:1000])
        self.assertRegex(errors, r"\A\[line [0-9]+\] Error at '.*': Too much nesting\.\n\Z")

    def test_parentheses(self) -> None:
        self.assert_nests_too_deep("print " + "(" * self.DEEP + "1" + ")" * self.DEEP + ";")

    def test_unary_operators(self) -> None:
        self.assert_nests_too_deep("print " + "!" * self.DEEP + "1;")

    def test_assignments(self) -> None:
        self.assert_nests_too_deep("var a; " + "a = " * self.DEEP + "1;")

    def test_blocks(self) -> None:
        self.assert_nests_too_deep("{" * self.DEEP + "}" * self.DEEP)

    def test_statements(self) -> None:
        self.assert_nests_too_deep("if (true) " * self.DEEP + "print 1;")

    def test_else_chains(self) -> None:
        self.assert_nests_too_deep("if (false) print nil; else " * self.DEEP + "print nil;")

    def test_functions(self) -> None:
        self.assert_nests_too_deep("fun f() { " * self.DEEP + "}" * self.DEEP)

    def test_classes(self) -> None:
        self.assert_nests_too_deep("class A { m() { " * self.DEEP + "}}" * self.DEEP)

    def test_calls_in_arguments(self) -> None:
        self.assert_nests_too_deep("fun f(a) {} " + "f(" * self.DEEP + "1" + ")" * self.DEEP + ";")

    def test_and_or(self) -> None:
        self.assert_nests_too_deep("print " + "true and (nil or " * self.DEEP + "nil" + ")" * self.DEEP + ";")

    def test_what_isnt_quite_too_deep_runs(self) -> None:
        source = "print " + "(" * 900 + "1" + ")" * 900 + ";"
        self.assertEqual(lox(source), (0, "1\n", ""))

    def test_long_flat_expressions_run(self) -> None:
        self.assertEqual(lox("var a = 1; print a" + " + a" * 50_000 + ";"), (0, "50001\n", ""))

    def test_a_long_line_of_statements_runs(self) -> None:
        self.assertEqual(lox("var a = 0;" + " a = a + a;" * 100_000 + " print a;"), (0, "0\n", ""))

    def test_a_long_string(self) -> None:
        self.assertEqual(lox('print "' + "x" * 1_000_000 + '";'), (0, "x" * 1_000_000 + "\n", ""))

    def test_a_long_name_is_shown_whole(self) -> None:
        name = "n" * 100_000
        code, _, errors = lox(name + ";")
        self.assertEqual((code, errors.splitlines()[0]), (70, f"Undefined variable '{name}'."))

    def test_a_long_number(self) -> None:
        self.assertEqual(lox("print 0." + "0" * 100_000 + "1;"), (0, "0\n", ""))
        self.assertEqual(lox("print " + "9" * 100_000 + ";"), (0, "inf\n", ""))

    def test_too_many_temporaries(self) -> None:
        call = "f(" + "a, " * 254
        source = "var a; fun f() {} " + call * 5 + "a" + ")" * 5 + ";"
        code, output, errors = lox(source)
        self.assertEqual((code, output), (65, ""))
        self.assertIn("Expression needs too many temporaries.", errors)

    def test_too_many_globals(self) -> None:
        code, _, errors = lox("".join(f"var v{i};\n" for i in range(65_600)))
        self.assertEqual(code, 65)
        self.assertIn("Too many global variables.", errors.splitlines()[0])

    def test_too_many_names(self) -> None:
        code, _, errors = lox("fun f(a) {\n" + "".join(f"a.v{i};\n" for i in range(65_600)) + "}")
        self.assertEqual(code, 65)
        self.assertIn("Too many names in function.", errors.splitlines()[0])

    def test_bytes_of_all_kinds(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "program.lox")
            path.write_bytes(bytes(range(256)) * 20)
            done = subprocess.run([str(LOX), str(path)], capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 65)

    def test_a_trace_of_many_calls_is_cut(self) -> None:
        code, _, errors = lox("fun f() { f(); }\nf();")
        lines = errors.splitlines()
        self.assertEqual((code, lines[0], lines[-1]), (70, "Stack overflow.", "[line 2] in script"))
        self.assertEqual(len(lines), 1 + 32 + 1 + 32)
        self.assertRegex(lines[33], r"^\.\.\. [0-9]+ more calls$")


class OutOfMemory(unittest.TestCase):
    def within(self, kibibytes: int, source: str) -> tuple[int, str]:
        """Exit code and first line of the errors, with so many addresses."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "program.lox")
            path.write_text(source)
            command = ["sh", "-c", f'ulimit -v {kibibytes} && exec "$@"', "sh", str(LOX), str(path)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        return done.returncode, done.stderr.partition("\n")[0]

    def has_room(self) -> bool:
        """False under a sanitizer."""
        return self.within(400_000, "")[0] == 0

    def setUp(self) -> None:
        if not self.has_room():
            self.skipTest("a sanitizer needs more addresses")

    def test_is_an_error_of_the_program(self) -> None:
        for source in (
            'var text = "text"; while (true) text = text + text;',
            "class Link { init(next) { this.next = next; } } var head; while (true) head = Link(head);",
            "fun f(next) { fun g() { return next; } return g; } var head; while (true) head = f(head);",
            "class A { m() {} } class B { init(next) { this.m = A().m; this.next = next; } }"
            " var head; while (true) head = B(head);",
            "class Bag {} fun add(bag, next) { bag.a = next; bag.b = 1; bag.c = 2; bag.d = 3; return bag; }"
            " var head; while (true) { class Other {} head = add(Other(), add(Bag(), head)); }",
        ):
            with self.subTest(source):
                self.assertEqual(self.within(400_000, source), (70, "Out of memory."))

    def test_at_the_start(self) -> None:
        self.assertEqual(self.within(60_000, ""), (70, "Out of memory."))


class Memory(unittest.TestCase):
    def test_of_cyclic_garbage_is_bounded(self) -> None:
        if not OutOfMemory().has_room():
            self.skipTest("a sanitizer needs more memory")
        with subprocess.Popen([str(LOX), str(HERE / "large" / "cyclic_garbage.lox")], stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        # About 300 MB pass through it. (The figure includes what this Python was when it started the program.)
        self.assertLess(usage.ru_maxrss, 32 * 1024)


class CommandLine(unittest.TestCase):
    def run_lox(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(LOX), *arguments], input=typed, capture_output=True, text=True, check=False)

    def test_a_file_that_isnt_there(self) -> None:
        done = self.run_lox("/nowhere/program.lox")
        self.assertEqual(done.returncode, 74)
        self.assertEqual(done.stderr, 'Could not read file "/nowhere/program.lox": No such file or directory.\n')

    def test_too_many_arguments(self) -> None:
        done = self.run_lox("one.lox", "two.lox")
        self.assertEqual((done.returncode, done.stdout), (64, ""))
        self.assertIn("Usage: lox", done.stderr)

    def test_what_is_typed_runs_line_by_line_and_survives_errors(self) -> None:
        done = self.run_lox(typed='var a = "te" + "xt";\nfun f() { return a; }\nprint f() - 1;\nprint f(;\nprint f();\n')
        self.assertEqual(done.stdout, "> > > > > text\n> \n")
        self.assertIn("Operands must be numbers.", done.stderr)
        self.assertIn("[line 1] Error at ';': Expect expression.", done.stderr)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
