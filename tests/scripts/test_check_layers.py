"""What scripts/check-layers finds in a tree, and what it says."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK_LAYERS = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check-layers"


class CheckLayers(unittest.TestCase):
    def check(self, files: dict[str, str]) -> tuple[int, list[str]]:
        """The exit code and the lines printed for a tree of these files."""
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            result = subprocess.run(
                [sys.executable, str(CHECK_LAYERS), "--root", root], capture_output=True, text=True, check=False
            )
        return result.returncode, (result.stdout + result.stderr).splitlines()

    def assert_only_violation(self, files: dict[str, str], message: str) -> None:
        self.assertEqual(self.check(files), (1, [message, f"check-layers: {len(files)} files, 1 violation(s)"]))

    def assert_clean(self, files: dict[str, str]) -> None:
        self.assertEqual(self.check(files), (0, [f"check-layers: {len(files)} files, 0 violation(s)"]))

    def test_a_layer_may_include_itself_and_those_below(self) -> None:
        self.assert_clean({
            "src/alloc/pool.h": '#include "alloc/size_class.h"\n#include "os/pages.h"\n#include "base/bits.h"\n',
            "src/tools/cli/run.cpp": '#include "heap/report.h"\n#include <fmt/format.h>\n#include <tarn/heap.h>\n',
        })

    def test_an_include_from_above_is_named_with_file_line_and_direction(self) -> None:
        self.assert_only_violation(
            {
                "src/base/bits.h": "#include <cstddef>\n",
                "src/os/pages.cpp": '#include "os/pages.h"\n\n#include "heap/heap.h"\n',
            },
            'src/os/pages.cpp:3: os/ includes "heap/heap.h", but heap/ is above it (os < heap)',
        )

    def test_an_include_relative_to_the_file_is_refused(self) -> None:
        self.assert_only_violation(
            {"src/os/pages.cpp": '#include "../base/bits.h"\n'},
            'src/os/pages.cpp:1: "../base/bits.h": includes are relative to src/, not to the file',
        )

    def test_an_include_without_a_layer_is_refused(self) -> None:
        self.assert_only_violation(
            {"src/os/pages.cpp": '#include "pages.h"\n'},
            'src/os/pages.cpp:1: "pages.h": includes are relative to src/ and start with a layer: '
            "base, os, alloc, heap, sites, object, gc, sight, integrations, tools",
        )

    def test_angle_brackets_do_not_hide_an_include_of_our_own(self) -> None:
        self.assert_only_violation(
            {"src/heap/heap.h": "", "src/os/pages.cpp": "#include <heap/heap.h>\n"},
            'src/os/pages.cpp:1: our own headers are included in quotes: "heap/heap.h", not <heap/heap.h>',
        )

    def test_a_public_header_in_quotes_is_refused(self) -> None:
        self.assert_only_violation(
            {"src/os/pages.cpp": '#include "tarn/heap.h"\n'},
            'src/os/pages.cpp:1: public headers are included in angle brackets: <tarn/heap.h>, not "tarn/heap.h"',
        )

    def test_a_public_header_may_include_public_headers_and_the_standard_library(self) -> None:
        self.assert_clean({"include/tarn/heap.h": "#include <cstddef>\n#include <memory_resource>\n#include <tarn/a.h>\n"})

    def test_a_public_header_may_not_reach_into_src(self) -> None:
        self.assert_only_violation(
            {"include/tarn/heap.h": '#include "alloc/pool.h"\n'},
            'include/tarn/heap.h:1: a public header includes "alloc/pool.h"; '
            "it may include only <tarn/...> and the standard library",
        )

    def test_a_public_header_may_not_need_the_operating_system(self) -> None:
        self.assert_only_violation(
            {"include/tarn/heap.h": "#include <sys/mman.h>\n"},
            "include/tarn/heap.h:1: a public header includes <sys/mman.h>; "
            "it may include only <tarn/...> and the standard library",
        )

    def test_a_platform_may_be_asked_for_in_os(self) -> None:
        self.assert_clean({"src/os/pages.cpp": "#ifdef __linux__\n#endif\n"})

    def test_a_platform_asked_for_elsewhere_is_named(self) -> None:
        self.assert_only_violation(
            {"src/heap/heap.cpp": "#if defined(NDEBUG) && \\\n    defined(_WIN32)\n#endif\n"},
            "src/heap/heap.cpp:1: asks for a platform (_WIN32); only src/os/ may",
        )

    def test_a_public_header_may_not_ask_for_a_platform(self) -> None:
        self.assert_only_violation(
            {"include/tarn/heap.h": "#if __APPLE__\n#endif\n"},
            "include/tarn/heap.h:1: asks for a platform (__APPLE__); only src/os/ may",
        )

    def test_comments_are_not_read(self) -> None:
        self.assert_clean({
            "src/os/pages.cpp": '// #include "heap/heap.h"\n/*\n#include "heap/heap.h"\n#ifdef _WIN32\n*/\n',
            "src/heap/heap.cpp": "#if 1  // not __linux__\n#endif\n",
        })

    def test_a_comment_over_several_lines_keeps_the_line_numbers(self) -> None:
        self.assert_only_violation(
            {"src/os/pages.cpp": '/* one\ntwo */\n#include "heap/heap.h"\n'},
            'src/os/pages.cpp:3: os/ includes "heap/heap.h", but heap/ is above it (os < heap)',
        )

    def test_a_folder_that_is_no_layer_is_refused(self) -> None:
        self.assert_only_violation(
            {"src/utilities/strings.h": ""},
            "src/utilities/strings.h:1: src/utilities is no layer; the layers are: "
            "base, os, alloc, heap, sites, object, gc, sight, integrations, tools",
        )

    def test_a_tree_without_sources_is_not_taken_for_a_clean_one(self) -> None:
        code, lines = self.check({"README.md": ""})
        self.assertEqual(code, 1)
        self.assertRegex(lines[0], "^check-layers: no sources in ")


if __name__ == "__main__":
    unittest.main()
