#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sample_report.h"
#include "tools/cli/report_json.h"
#include "tools/cli/report_reader.h"
#include "tools/cli/report_text.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

const Style plain(false);

constexpr int killed_by_9 = 9;  // as waitpid gives it
constexpr int exited_with_0 = 0;

Report sample() { return read_report(sample_report_text); }
Report off_sample() { return read_report(sample_off_report_text); }

RunOutcome outcome_with_own() {
  RunOutcome outcome;
  outcome.command = {"python3", "app.py"};
  outcome.pid = 4711;
  outcome.reports.own = sample();
  return outcome;
}

TEST(ReportText, ShowsArenasPoolsBlocksAndSizeClasses) {
  EXPECT_EQ(report_text(sample(), plain),
            R"(tarn: python3 (process 4711) on Python 3.11.2
      geometry tarn: arenas of 1 MiB, pools of 16 KiB, blocks up to 512 B
      addresses by range, under the caller's lock

           now    peak  mapped  given back
arenas      12      40      55          43
        12 MiB  40 MiB  55 MiB      43 MiB

          used     full    empty  untouched  peak used or full
pools      100      600       20         44              2,000
       1.6 MiB  9.4 MiB  320 KiB    704 KiB           31.2 MiB

        allocated      free  untouched
blocks     20,900       500        124
          1.2 MiB  26.6 KiB    6.6 KiB

domain  szidx  block  used  full  allocated  free  untouched
obj         3     64    12    80     20,000   400        100
mem         0     16     1     0        900   100         24

requests over 512 B and first ones: 100,000 ever, 321 live now
Tarn's own: 20 in 4.8 MiB, 3 of them mappings; 683.6 KiB of freed ones kept
)");
}

Report with_gc(const std::string& gc = sample_gc_text) {
  return read_report(with(sample_report_text, "end\n", gc + "end\n"));
}

TEST(ReportText, ShowsThePausesAndWhatThePacerDid) {
  EXPECT_THAT(report_text(with_gc(), plain), testing::EndsWith(R"(
collections of cycles: paced by Tarn, after 10,000 containers or 16 MiB

        pauses  by Tarn  longest     total  objects freed
young    1,234        0   1.5 ms     2.5 s        987,654
middle       5        2   0.9 us    1.9 us              0
full         3        3  60.0 ms  150.0 ms             12
)"));
}

TEST(ReportText, NamesNoContainersWhereTheYoungestIsLeftAlone) {
  const std::string gc =
      with(sample_gc_text, "gc_threshold_young 10000", "gc_threshold_young 1073741824");
  EXPECT_THAT(report_text(with_gc(gc), plain), testing::HasSubstr("paced by Tarn, after 16 MiB\n"));
}

TEST(ReportText, SaysWhyThePacerLeftTheProgramAlone) {
  std::string gc = with(sample_gc_text, "gc_state pacing\n",
                        "gc_state yielded\ngc_reason the program set thresholds\n");
  gc = with(gc, "gc_by_program 0", "gc_by_program 12");
  gc = with(gc, "gc_disabled 0", "gc_disabled 1");
  EXPECT_THAT(report_text(with_gc(gc), plain),
              HasSubstr("\ncollections of cycles: left alone: the program set thresholds\n"
                        "the program has disabled them\nfull ones by the program itself: 12\n\n"));
  gc = with(sample_gc_text, "gc_state pacing", "gc_state stock");
  EXPECT_THAT(report_text(with_gc(gc), plain), HasSubstr("cycles: CPython's pace\n"));
}

TEST(ReportJson, HasThePausesAndWhatThePacerDid) {
  const nlohmann::json json = report_json(with_gc())["gc"];
  EXPECT_EQ(json["policy"], "adaptive");
  EXPECT_EQ(json["state"], "pacing");
  EXPECT_EQ(json["threshold_young"], 10000);
  EXPECT_EQ(json["allowance"], 16777216);
  EXPECT_EQ(json["full_by_program"], 0);
  EXPECT_EQ(json["young"], (nlohmann::json{{"pauses", 1234},
                                           {"started_by_tarn", 0},
                                           {"longest_ns", 1500000},
                                           {"total_ns", 2500000000},
                                           {"collected", 987654}}));
  EXPECT_EQ(json["full"]["longest_ns"], 60000000);
}

TEST(ReportText, SaysInOneLineWhyTarnWasOff) {
  EXPECT_EQ(report_text(off_sample(), plain),
            "tarn: python3 (process 4712) was not on Tarn: PYTHONMALLOC=malloc chooses another "
            "allocator\n");
}

TEST(ReportText, SaysInOneLineThatTheHeapCouldNotBeRead) {
  const Report report = read_report("tarn-report 1\npid 4711\npython 3.11.2\nstate on\nend\n");
  EXPECT_EQ(
      report_text(report, plain),
      "tarn: a Python (process 4711) was on Tarn, but ended where its heap could not be read\n");
  RunOutcome outcome = outcome_with_own();
  outcome.reports.further = {report};
  EXPECT_THAT(outcome_text(outcome, plain),
              testing::EndsWith("\ntarn: a Python (process 4711): on, without figures\n"));
  EXPECT_EQ(report_json(report).size(), 5u);
}

TEST(ReportText, SaysWhenThereWereChecksALockOrAPageMap) {
  std::string text = with(sample_report_text, "checks none", "checks debug");
  text = with(text, "synchronisation caller", "synchronisation locked");
  text = with(text, "address_map range", "address_map page_map");
  EXPECT_THAT(report_text(read_report(text), plain),
              HasSubstr("addresses by page map, under a lock of its own, with debug checks\n"));
}

TEST(ReportText, LeavesTheTableOutWhenNoClassHasPools) {
  std::string text = with(sample_report_text, "class obj 3 64 12 80 20000 400 100\n", "");
  text = with(text, "class mem 0 16 1 0 900 100 24\n", "");
  EXPECT_THAT(report_text(read_report(text), plain), Not(HasSubstr("domain")));
}

TEST(ReportText, FitsInEightyColumnsWithLargeFiguresAndLongNames) {
  std::string text =
      with(sample_report_text, "program python3", "program " + std::string(300, 'p'));
  text = with(text, "pools_peak 2000", "pools_peak 12345678");
  text = with(text, "class obj 3 64 12 80 20000 400 100",
              "class obj 3 64 234567 234567 1234567890 123456789 123456789");
  const std::string shown = report_text(read_report(text), plain);
  for (const std::string_view line : lines_of(shown)) {
    EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST(ReportText, IsColouredOnlyWhereThatIsWanted) {
  EXPECT_THAT(report_text(sample(), plain), Not(HasSubstr("\x1b")));
  EXPECT_THAT(report_text(sample(), Style(true)), HasSubstr("\x1b[1mtarn: python3"));
}

TEST(ReportText, CanHoldTheLargestReportThatTheReaderLetsPass) {
  std::string text = sample_report_text.substr(0, sample_report_text.find("class"));
  text = with(text, "arenas_now 12", "arenas_now " + std::to_string(report_bytes_limit >> 20));
  for (const char* domain : {"raw", "mem", "obj"}) {
    for (int szidx = 0; szidx < 64; ++szidx) {
      const std::string most = std::to_string(report_count_limit);
      text += std::string("class ") + domain + " " + std::to_string(szidx) + " 8 " + most + " " +
              most + " " + most + " " + most + " " + most + "\n";
    }
  }
  const std::string shown = report_text(read_report(text + "end\n"), plain);
  EXPECT_THAT(shown, HasSubstr("arenas  68,719,476,736"));
  EXPECT_THAT(shown, HasSubstr("1,729,382,256,910,270,464")) << "192 classes of 2^53 blocks";
  EXPECT_THAT(shown, HasSubstr("12 EiB")) << "in 2^56 bytes each";
}

TEST(OutcomeText, AddsALineForEachFurtherProcessAndCountsTheRest) {
  RunOutcome outcome = outcome_with_own();
  for (int number = 0; number < 10; ++number) {
    outcome.reports.further.push_back(sample());
    outcome.reports.further.back().pid = static_cast<std::uint64_t>(5000 + number);
  }
  outcome.reports.further[1] = off_sample();
  outcome.reports.unusable.push_back({6000, "line 1: nonsense"});
  outcome.reports.left_out = 1000;
  const std::string text = outcome_text(outcome, plain);
  EXPECT_THAT(text, HasSubstr("\ntarn: python3 (process 5000): arenas peak 40 (40 MiB)\n"));
  EXPECT_THAT(text, HasSubstr("\ntarn: python3 (process 4712): off: PYTHONMALLOC=malloc "));
  EXPECT_THAT(text, HasSubstr("(process 5007)"));
  EXPECT_THAT(text, Not(HasSubstr("(process 5008)")));
  EXPECT_THAT(text, testing::EndsWith("\ntarn: and 1,003 more\n"));
}

TEST(OutcomeText, SaysThatAFurtherReportCannotBeUsed) {
  RunOutcome outcome = outcome_with_own();
  outcome.reports.unusable.push_back({6000, "line 1: nonsense"});
  EXPECT_THAT(
      outcome_text(outcome, plain),
      testing::EndsWith("\ntarn: process 6000: its report can't be used: line 1: nonsense\n"));
}

TEST(OutcomeText, ShowsTheLargestFurtherProcessWhenTheProgramLeftNoReport) {
  RunOutcome outcome;
  outcome.command = {"./build\n.sh"};
  outcome.pid = 4000;
  outcome.no_report = "it is not a Python";
  outcome.reports.further = {sample()};
  const std::string text = outcome_text(outcome, plain);
  EXPECT_THAT(text, testing::StartsWith(
                        "tarn: no report from ./build\\x0a.sh (process 4000): it is not a Python\n"
                        "tarn: python3 (process 4711) on Python 3.11.2\n"));
}

TEST(NoReport, HasTheReasonThatCanBeKnown) {
  CollectedReports none;
  EXPECT_EQ(why_no_report(none, killed_by_9, std::nullopt, true),
            "it was ended by SIGKILL, and a process writes its report when it exits");
  EXPECT_EQ(why_no_report(none, exited_with_0, "it is setuid", true), "it is setuid");
  EXPECT_EQ(why_no_report(none, exited_with_0, std::nullopt, false), "it is not a Python");
  EXPECT_EQ(why_no_report(none, exited_with_0, std::nullopt, true),
            "it ended without Python's own exit, by os._exit or by starting another program in its "
            "place");
  none.own_unusable = UnusableReport{1, "line 2: odd"};
  EXPECT_EQ(why_no_report(none, exited_with_0, std::nullopt, true),
            "what it left can't be used (line 2: odd)");
  CollectedReports some;
  some.own = sample();
  EXPECT_EQ(why_no_report(some, exited_with_0, std::nullopt, true), "");
}

TEST(ReportJson, HasEveryFactUnderItsName) {
  const nlohmann::json json = nlohmann::json::parse(outcome_json(outcome_with_own()));
  EXPECT_EQ(json["tarn_report"], 1);
  EXPECT_EQ(json["command"], (nlohmann::json{"python3", "app.py"}));
  EXPECT_EQ(json["pid"], 4711);
  EXPECT_EQ(json["exit_status"], 0);
  EXPECT_EQ(json["signal"], nullptr);
  EXPECT_EQ(json["no_report"], nullptr);
  EXPECT_EQ(json["further"], nlohmann::json::array());
  const nlohmann::json& report = json["report"];
  EXPECT_EQ(report["state"], "on");
  EXPECT_EQ(report["arena_size"], 1048576);
  EXPECT_EQ(report["arenas"],
            (nlohmann::json{{"now", 12}, {"peak", 40}, {"mapped", 55}, {"released", 43}}));
  EXPECT_EQ(report["pools"],
            (nlohmann::json{
                {"used", 100}, {"full", 600}, {"empty", 20}, {"untouched", 44}, {"peak", 2000}}));
  EXPECT_EQ(report["large"], (nlohmann::json{{"now", 321},
                                             {"requests", 100000},
                                             {"blocks", 20},
                                             {"bytes", 5000000},
                                             {"mappings", 3},
                                             {"kept_bytes", 700000},
                                             {"resized", 12}}));
  ASSERT_EQ(report["classes"].size(), 3u);
  EXPECT_EQ(report["classes"][0], (nlohmann::json{{"domain", "obj"},
                                                  {"szidx", 3},
                                                  {"block_size", 64},
                                                  {"pools_used", 12},
                                                  {"pools_full", 80},
                                                  {"blocks_allocated", 20000},
                                                  {"blocks_free", 400},
                                                  {"blocks_untouched", 100}}));
}

TEST(ReportJson, SaysHowTheProgramEndedAndWhyThereIsNoReport) {
  RunOutcome outcome;
  outcome.command = {"sleep", "\xff"};
  outcome.wait_status = killed_by_9;
  outcome.no_report = "it is not a Python";
  outcome.reports.further = {off_sample()};
  outcome.reports.unusable.push_back({6000, "line 1: nonsense"});
  const nlohmann::json json = nlohmann::json::parse(outcome_json(outcome));
  EXPECT_EQ(json["command"][1], "\xef\xbf\xbd") << "what is not UTF-8 is replaced";
  EXPECT_EQ(json["exit_status"], nullptr);
  EXPECT_EQ(json["signal"], "SIGKILL");
  EXPECT_EQ(json["report"], nullptr);
  EXPECT_EQ(json["no_report"], "it is not a Python");
  EXPECT_EQ(json["further"][0]["state"], "off");
  EXPECT_EQ(json["further"][0]["reason"], "PYTHONMALLOC=malloc chooses another allocator");
  EXPECT_EQ(json["unusable"][0], (nlohmann::json{{"pid", 6000}, {"problem", "line 1: nonsense"}}));
}

}  // namespace
}  // namespace tarn::cli
