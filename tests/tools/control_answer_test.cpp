#include "tools/cli/control_answer.h"

#include <string>

#include <gtest/gtest.h>

#include "sample_report.h"

namespace tarn::cli {
namespace {

const std::string greeting = "tarn-control 1\n";
const std::string released = greeting + "begun\nreleased 4096\nend\n";
const std::string residency =
    "resident_pools 4096\nresident_live_raw 0\nresident_live_mem 1024\nresident_live_obj 2048\n"
    "resident_free 1000\nresident_untouched 24\nresident_empty 0\nresident_live_pages 4096\n"
    "resident_descriptors 512\nrange 0x7f0000000000 1048576\n";

std::string statistics() {
  return greeting + "begun\n" + with(sample_report_text, "large_now", residency + "large_now");
}

std::string problem_of_release(const std::string& text) {
  try {
    return std::to_string(read_released(text));
  } catch (const BadAnswer& bad) {
    return bad.what();
  }
}

std::string problem_of_statistics(const std::string& text) {
  try {
    static_cast<void>(read_statistics(text));
  } catch (const BadAnswer& bad) {
    return bad.what();
  }
  return "none";
}

TEST(ControlAnswer, ItsStagesComeOneAfterTheOther) {
  EXPECT_EQ(stage_of(""), AnswerStage::nothing);
  EXPECT_EQ(stage_of("tarn-control 1"), AnswerStage::nothing);
  EXPECT_EQ(stage_of(greeting), AnswerStage::greeted);
  EXPECT_EQ(stage_of(greeting + "begu"), AnswerStage::greeted);
  EXPECT_EQ(stage_of(greeting + "begun\n"), AnswerStage::begun);
  EXPECT_EQ(stage_of(greeting + "begun\nreleased 4096\nen"), AnswerStage::begun);
  EXPECT_EQ(stage_of(released), AnswerStage::ended);
  EXPECT_EQ(stage_of(greeting + "error unknown request\nend\n"), AnswerStage::ended);
  // At each byte it is as far as before, or further.
  for (std::size_t size = 1; size <= released.size(); ++size) {
    EXPECT_GE(stage_of(released.substr(0, size)), stage_of(released.substr(0, size - 1)));
  }
}

TEST(ControlAnswer, ReadsHowMuchWasGivenBack) {
  EXPECT_EQ(read_released(released), 4096U);
  EXPECT_EQ(read_released(greeting + "begun\nreleased 0\nend\n"), 0U);
}

TEST(ControlAnswer, RefusesAReleaseThatIsNoneInASentence) {
  EXPECT_EQ(problem_of_release(""), "not 'tarn-control 1' but ''");
  EXPECT_EQ(problem_of_release("HTTP/1.1 400\r\n"), "not 'tarn-control 1' but 'HTTP/1.1 400\\x0d'");
  EXPECT_EQ(problem_of_release("tarn-control 2\nbegun\nreleased 1\nend\n"),
            "not 'tarn-control 1' but 'tarn-control 2'");
  EXPECT_EQ(problem_of_release(greeting + "error \x1b[2Jno\nend\n"), "it refuses: '\\x1b[2Jno'");
  EXPECT_EQ(problem_of_release(greeting + "error \nend\n"), "it refuses: ''");
  EXPECT_EQ(problem_of_release(greeting + "released 1\nend\n"), "not 'begun' but 'released 1'");
  EXPECT_EQ(problem_of_release(greeting + "begun\nreleased 4096\n"), "it breaks off");
  EXPECT_EQ(problem_of_release(greeting + "begun\nend\n"),
            "not 'released' and a number but 'end\\x0a'");
  for (const char* const words :
       {"released", "released ", "released -1", "released +1", "released 0x10", "released 1 2",
        "released 1\nreleased 2", "released 99999999999999999999", "released 72057594037927937"}) {
    EXPECT_TRUE(problem_of_release(greeting + "begun\n" + words + "\nend\n")
                    .starts_with("not 'released' and a number but '"))
        << words;
  }
  EXPECT_EQ(problem_of_release(released + std::string(answer_size_limit, 'x')),
            "longer than 256 KiB");
}

TEST(ControlAnswer, ReadsFiguresWithWhatIsResident) {
  const Report report = read_statistics(statistics());
  EXPECT_EQ(report.pid, 4711U);
  EXPECT_EQ(report.resident_pools, 4096U);
  ASSERT_EQ(report.ranges.size(), 1U);
  EXPECT_EQ(report.ranges[0].start, 0x7f0000000000U);
  EXPECT_EQ(report.ranges[0].size, 1048576U);
}

TEST(ControlAnswer, RefusesFiguresThatLackSomethingOrContradictThemselves) {
  EXPECT_EQ(problem_of_statistics(greeting + "begun\n" + sample_report_text),
            "it has no figures of resident memory");
  EXPECT_EQ(problem_of_statistics(greeting + "begun\n" + sample_off_report_text),
            "it has no figures of resident memory");
  EXPECT_EQ(problem_of_statistics(released).substr(0, 6), "line 1");
  EXPECT_NE(problem_of_statistics(with(statistics(), "resident_empty 0\n", ""))
                .find("resident_empty is missing"),
            std::string::npos);
  EXPECT_NE(problem_of_statistics(
                with(statistics(), "resident_live_pages 4096", "resident_live_pages 8192"))
                .find("more than resident_pools"),
            std::string::npos);
  for (const char* const range :
       {"range 7f00 4096", "range 0x7f00", "range 0xzz 4096", "range 0x7f00 -1",
        "range 0xffffffffffffffff 4096", "range 0x1ffffffffffffffff 1"}) {
    EXPECT_NE(problem_of_statistics(with(statistics(), "range 0x7f0000000000 1048576", range)),
              "none")
        << range;
  }
}

}  // namespace
}  // namespace tarn::cli
