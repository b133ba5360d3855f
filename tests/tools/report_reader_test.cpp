#include "tools/cli/report_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_report.h"

namespace tarn::cli {
namespace {

std::string problem_of(const std::string& text) {
  try {
    static_cast<void>(read_report(text));
  } catch (const BadReport& bad) {
    return bad.what();
  }
  return "none";
}

std::string problem_with(const std::string& old_part, const std::string& new_part) {
  return problem_of(with(sample_report_text, old_part, new_part));
}

TEST(ReportReader, ReadsEveryFactOfAReport) {
  const Report report = read_report(sample_report_text);
  EXPECT_EQ(report.pid, 4711u);
  EXPECT_EQ(report.parent, 4700u);
  EXPECT_EQ(report.program, "python3");
  EXPECT_EQ(report.python, "3.11.2");
  EXPECT_TRUE(report.on);
  EXPECT_EQ(report.geometry, "tarn");
  EXPECT_EQ(report.address_map, "range");
  EXPECT_EQ(report.synchronisation, "caller");
  EXPECT_EQ(report.checks, "none");
  EXPECT_EQ(report.arena_size, 1048576u);
  EXPECT_EQ(report.pool_size, 16384u);
  EXPECT_EQ(report.alignment, 16u);
  EXPECT_EQ(report.small_request_max, 512u);
  EXPECT_EQ(report.arenas_now, 12u);
  EXPECT_EQ(report.arenas_peak, 40u);
  EXPECT_EQ(report.arenas_mapped, 55u);
  EXPECT_EQ(report.arenas_released, 43u);
  EXPECT_EQ(report.pools_used, 100u);
  EXPECT_EQ(report.pools_full, 600u);
  EXPECT_EQ(report.pools_empty, 20u);
  EXPECT_EQ(report.pools_untouched, 44u);
  EXPECT_EQ(report.pools_peak, 2000u);
  EXPECT_EQ(report.large_now, 321u);
  EXPECT_EQ(report.large_requests, 100000u);
  EXPECT_EQ(report.large_blocks, 20u);
  EXPECT_EQ(report.large_kept_bytes, 700000u);
  ASSERT_EQ(report.classes.size(), 3u);
  const SizeClassReport& first = report.classes.front();
  EXPECT_EQ(first.domain, "obj");
  EXPECT_EQ(first.szidx, 3u);
  EXPECT_EQ(first.block_size, 64u);
  EXPECT_EQ(first.pools_used, 12u);
  EXPECT_EQ(first.pools_full, 80u);
  EXPECT_EQ(first.blocks_allocated, 20000u);
  EXPECT_EQ(first.blocks_free, 400u);
  EXPECT_EQ(first.blocks_untouched, 100u);
}

TEST(ReportReader, ReadsAReportThatTarnWasOffWithTheWholeReason) {
  const Report report = read_report(sample_off_report_text);
  EXPECT_FALSE(report.on);
  EXPECT_EQ(report.reason, "PYTHONMALLOC=malloc chooses another allocator");
}

TEST(ReportReader, ReadsWhatThePacerDid) {
  const std::string text = with(sample_report_text, "end\n", sample_gc_text + "end\n");
  const Report report = read_report(text);
  EXPECT_EQ(report.gc, "adaptive");
  EXPECT_EQ(report.gc_state, "pacing");
  EXPECT_EQ(report.gc_allowance, 16777216u);
  EXPECT_EQ(report.gc_young.pauses, 1234u);
  EXPECT_EQ(report.gc_middle.started, 2u);
  EXPECT_EQ(report.gc_full.longest, 60000000u);
  EXPECT_EQ(report.gc_full.collected, 12u);
  EXPECT_EQ(problem_of(with(text, "gc_state pacing", "gc_state mad")),
            "line 35: gc_state: 'mad' is unknown");
  EXPECT_EQ(problem_of(with(text, "gc_full_longest 60000000", "gc_full_longest -1")),
            "line 53: gc_full_longest: '-1' is not a number");
  EXPECT_EQ(problem_of(with(text, "gc_state pacing\n", "")), "gc_state is missing");
}

TEST(ReportReader, CallsEveryPrefixOfAReportIncomplete) {
  const std::string whole = sample_report_text.substr(0, sample_report_text.size() - 1);
  EXPECT_EQ(problem_of(whole), "none") << "only the newline behind 'end' is missing";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(static_cast<void>(read_report(whole.substr(0, size))), IncompleteReport) << size;
  }
}

TEST(ReportReader, TakesAReportWithoutFiguresButNotWithSome) {
  const std::string without = "tarn-report 1\npid 4711\npython 3.11.2\nstate on\nend\n";
  const Report report = read_report(without);
  EXPECT_TRUE(report.on);
  EXPECT_FALSE(report.has_figures);
  EXPECT_EQ(report.program, "");
  EXPECT_TRUE(read_report(sample_report_text).has_figures);
  EXPECT_EQ(problem_of(with(without, "end", "class mem 0 16 1 0 900 100 24\nend")),
            "arena_size is missing");
  EXPECT_EQ(problem_of(with(without, "end", "arena_size 4096\nend")), "pool_size is missing");
}

TEST(ReportReader, TakesTheFactsInAnyOrder) {
  std::string text = with(sample_report_text, "pid 4711\n", "");
  text = with(text, "end\n", "pid 4711\nend\n");
  EXPECT_EQ(read_report(text).pid, 4711u);
}

TEST(ReportReader, PassesOverAFactThatItDoesNotKnow) {
  EXPECT_EQ(problem_with("end\n", "weather fine and dry\nend\n"), "none");
}

TEST(ReportReader, RefusesAFactThatOccursTwice) {
  EXPECT_EQ(problem_with("parent 4700\n", "parent 4700\npid 4711\n"), "line 4: pid occurs twice");
  EXPECT_EQ(problem_with("end\n", "later 1\nlater 2\nend\n"), "line 35: later occurs twice");
  EXPECT_EQ(problem_with("state on\n", "state on\nstate off\n"), "line 7: state occurs twice");
  EXPECT_EQ(problem_with("end\n", "class mem 0 32 1 0 1 0 0\nend\n"),
            "line 34: class mem 0 occurs twice");
}

TEST(ReportReader, RefusesWhatIsNoNumber) {
  EXPECT_EQ(problem_with("pid 4711", "pid -4711"), "line 2: pid: '-4711' is not a number");
  EXPECT_EQ(problem_with("pid 4711", "pid +1"), "line 2: pid: '+1' is not a number");
  EXPECT_EQ(problem_with("pid 4711", "pid 0x10"), "line 2: pid: '0x10' is not a number");
  EXPECT_EQ(problem_with("pid 4711", "pid 4711 "), "line 2: pid: '4711 ' is not a number");
  EXPECT_EQ(problem_with("pid 4711", "pid  4711"), "line 2: pid: ' 4711' is not a number");
  EXPECT_EQ(problem_with("pid 4711", "pid 1e3"), "line 2: pid: '1e3' is not a number");
  EXPECT_EQ(problem_with("pid 4711", "pid"), "line 2: 'pid' has no value");
  EXPECT_EQ(problem_with("pid 4711", "pid "), "line 2: 'pid' has no value");
}

TEST(ReportReader, RefusesNumbersThatAreTooLarge) {
  EXPECT_EQ(problem_with("pid 4711", "pid 9007199254740993"),
            "line 2: pid: 9007199254740993 is too large");
  EXPECT_EQ(problem_with("pid 4711", "pid 18446744073709551616"),
            "line 2: pid: 18446744073709551616 is too large");
  EXPECT_EQ(problem_with("pid 4711", "pid " + std::string(1000, '9')),
            "line 2: pid: 999999999999...9999999999999999999999999 is too large");
}

TEST(ReportReader, RefusesCountsWhoseBytesCouldNotBeAddedUp) {
  EXPECT_EQ(problem_with("arenas_now 12", "arenas_now 9007199254740992"),
            "arenas_now: 9007199254740992 times 1048576 bytes is more than a machine has");
  EXPECT_EQ(problem_with("arena_size 1048576", "arena_size 9007199254740992"),
            "arenas_now: 12 times 9007199254740992 bytes is more than a machine has");
  EXPECT_EQ(problem_with("pools_peak 2000", "pools_peak 9007199254740992"),
            "pools_peak: 9007199254740992 times 16384 bytes is more than a machine has");
  EXPECT_EQ(problem_with("obj 3 64 12 80 20000", "obj 3 64 12 80 9007199254740992"),
            "class: 9007199254740992 times 64 bytes is more than a machine has");
}

TEST(ReportReader, RefusesABadSizeClass) {
  EXPECT_EQ(problem_with("class mem 0 16 1 0 900 100 24", "class mem 0 16 1 0 900 100"),
            "line 27: class: 7 values instead of 8");
  EXPECT_EQ(problem_with("class mem 0 16 1 0 900 100 24", "class mem 0 16 1 0 900 100 24 1"),
            "line 27: class: 9 values instead of 8");
  EXPECT_EQ(problem_with("class mem 0", "class heap 0"), "line 27: class: 'heap' is unknown");
  EXPECT_EQ(problem_with("class mem 0", "class  0"), "line 27: class: '' is unknown");
  EXPECT_EQ(problem_with("class mem 0", "class mem 64"), "line 27: class: szidx 64 is too large");
}

TEST(ReportReader, RefusesWordsThatItDoesNotKnow) {
  EXPECT_EQ(problem_with("state on", "state maybe"), "line 6: state: 'maybe' is unknown");
  EXPECT_EQ(problem_with("geometry tarn", "geometry flat"), "line 7: geometry: 'flat' is unknown");
  EXPECT_EQ(problem_with("program python3", "program my python"),
            "line 4: program: 'my python' is more than one word");
}

TEST(ReportReader, NamesTheFactThatIsMissing) {
  for (const char* key : {"pid", "python", "state", "geometry", "arena_size", "pools_full",
                          "large_requests", "checks"}) {
    const std::size_t start = sample_report_text.find(std::string("\n") + key + " ") + 1;
    const std::size_t end = sample_report_text.find('\n', start) + 1;
    EXPECT_EQ(problem_of(sample_report_text.substr(0, start) + sample_report_text.substr(end)),
              std::string(key) + " is missing");
  }
  EXPECT_EQ(problem_of(with(sample_off_report_text,
                            "reason PYTHONMALLOC=malloc chooses another allocator\n", "")),
            "reason is missing");
}

TEST(ReportReader, RefusesBytesThatCouldMoveTheCursor) {
  using namespace std::string_literals;
  EXPECT_EQ(problem_with("python3", "py\x1b[2Jthon"), "line 4: a byte that isn't printable");
  EXPECT_EQ(problem_with("python3", "py\0thon"s), "line 4: a byte that isn't printable");
  EXPECT_EQ(problem_with("python3", "py\tthon"), "line 4: a byte that isn't printable");
  EXPECT_EQ(problem_with("python3", "py\x9bthon"), "line 4: a byte that isn't printable");
  EXPECT_EQ(problem_with("\nparent", "\r\nparent"), "line 2: a byte that isn't printable");
}

TEST(ReportReader, RefusesOtherVersionsAndOtherFilesAndShowsTheirFirstLineEscaped) {
  EXPECT_EQ(problem_with("tarn-report 1", "tarn-report 2"),
            "line 1: not 'tarn-report 1' but 'tarn-report 2'");
  EXPECT_EQ(problem_of("\x1b[31mred\nend\n"), "line 1: not 'tarn-report 1' but '\\x1b[31mred'");
  EXPECT_EQ(problem_of("\n"), "line 1: not 'tarn-report 1' but ''");
}

TEST(ReportReader, RefusesWhatStandsBehindTheEnd) {
  EXPECT_EQ(problem_of(sample_report_text + "pid 1\n"), "line 35: something stands behind 'end'");
  EXPECT_EQ(problem_of(sample_report_text + sample_report_text),
            "line 35: something stands behind 'end'");
}

TEST(ReportReader, RefusesLinesAndFilesThatAreTooLong) {
  EXPECT_EQ(problem_with("python3", std::string(5000, 'p')), "line 4: longer than 4096 bytes");
  EXPECT_EQ(problem_with("python3", std::string(10'000'000, 'p')), "longer than 256 KiB");
  EXPECT_EQ(problem_of(std::string(10'000'000, '\n')), "longer than 256 KiB");
}

}  // namespace
}  // namespace tarn::cli
