#include "tools/cli/pulse_answer.h"

#include <string>

#include <gtest/gtest.h>

#include "sample_report.h"

namespace tarn::cli {
namespace {

const std::string sample =
    "tarn-control 1\nbegun\ntarn-pulse 1\npid 4711\nturn 3\nheld 52000\nallocated 3000000\n"
    "handed_out 18446744073709551615\nlarge_blocks 2\nlarge_bytes 131072\nlarge_kept 0\n"
    "tier 0 1048576 16384 64 3 100 1 40\n"
    "arena 0 0x7f0000000000 2 80 1 600000\narena 0 0x7f0000200000 1 20 0 0\n"
    "tier 1 4194304 65536 64 1 2 1 2\narena 1 0x7f1000000000 1 2 1 65536\n"
    "class 0 3 64 10 2000 500 60\nclass 1 40 1024 2 64 62 2\n"
    "gc adaptive\ngc_state pacing\ngc_young_pauses 12\ngc_young_longest 900000\n"
    "gc_young_total 4000000\ngc_young_collected 77\ngc_full_total 5\nend\n";

std::string problem_of(const std::string& text) {
  try {
    static_cast<void>(read_pulse(text));
  } catch (const BadAnswer& bad) {
    return bad.what();
  }
  return "none";
}

TEST(PulseAnswer, ReadsWhatAProcessSays) {
  const Pulse pulse = read_pulse(sample);
  EXPECT_EQ(pulse.pid, 4711U);
  EXPECT_EQ(pulse.turn, 3U);
  EXPECT_EQ(pulse.handed_out, UINT64_MAX);
  ASSERT_EQ(pulse.tiers.size(), 2U);
  ASSERT_EQ(pulse.tiers[0].groups.size(), 2U);
  EXPECT_EQ(pulse.tiers[0].groups[1].address, 0x7f0000200000U);
  EXPECT_EQ(pulse.tiers[1].groups[0].live, 65536U);
  ASSERT_EQ(pulse.classes.size(), 2U);
  EXPECT_EQ(pulse.classes[0].allocated, 2000U);
  EXPECT_EQ(pulse.generations[0].pauses, 12U);
  EXPECT_EQ(pulse.generations[0].total, 4000000U);
  EXPECT_EQ(pulse.generations[2].total, 5U);
}

TEST(PulseAnswer, RefusesWhatContradictsItselfInASentence) {
  const struct {
    const char* from;
    const char* to;
    const char* problem;
  } cases[] = {
      {"tarn-pulse 1", "tarn-pulse 2", "line 1: not 'tarn-pulse 1'"},
      {"pid 4711\n", "", "pid is missing"},
      {"turn 3", "turn 3\nturn 4", "'turn' twice"},
      {"turn 3", "turn", "no number, or too large: ''"},
      {"turn 3", "turn 3 ", "' ' behind a number"},
      {"turn 3", "turn 3 4", "too many words"},
      {"turn 3", "turn -3", "no number, or too large: '-3'"},
      {"turn 3", "turn \x1b[2J", "no number, or too large: '\\x1b[2J'"},
      {"allocated 3000000", "allocated 999999999999999", "too large"},
      {"tier 0 1048576", "tier 1 1048576", "tiers out of order"},
      {"tier 0 1048576", "tier 0 0", "its figures contradict each other"},
      {"64 3 100 1 40", "64 3 193 1 40", "its figures contradict each other"},
      {"64 3 100 1 40", "64 3 100 4 40", "its figures contradict each other"},
      {"arena 1 0x7f1", "arena 2 0x7f1", "of no tier"},
      {"arena 1 0x7f1", "arena 1 7f1", "no address"},
      {"1 2 1 65536", "1 2 1 4194305", "its figures contradict each other"},
      {"1 2 1 65536", "1 2 2 65536", "its figures contradict each other"},
      {"class 0 3 64", "class 0 3 0", "its figures contradict each other"},
      {"class 0 3 64 10", "class 0 3 64 41", "its figures contradict each other"},
      {"class 0 3 64 10 2000", "class 0 3 64 10 9999999", "its figures contradict each other"},
  };
  for (const auto& of : cases) {
    EXPECT_NE(problem_of(with(sample, of.from, of.to)).find(of.problem), std::string::npos)
        << of.to << ": " << problem_of(with(sample, of.from, of.to));
  }
  EXPECT_EQ(problem_of("tarn-control 1\nerror unknown request\nend\n"),
            "it refuses: 'unknown request'");
}

TEST(PulseAnswer, EachPartOfOneIsRefused) {
  for (std::size_t size = 0; size + 1 < sample.size(); ++size) {
    EXPECT_NE(problem_of(sample.substr(0, size)), "none") << size;
  }
}

}  // namespace
}  // namespace tarn::cli
