#include "tools/cli/ledger_lines.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include <gtest/gtest.h>

namespace tarn::cli {
namespace {

constexpr std::uint64_t page = 4096;

// A heap of one mebibyte at 0x10000000, of which 100 pages are resident.
Report sample_report() {
  Report report;
  report.pid = 4711;
  report.program = "python3";
  report.python = "3.11.2";
  report.has_figures = report.has_residency = true;
  report.resident_live_obj = 50 * page;
  report.resident_live_mem = 10 * page;
  report.resident_free = 20 * page;
  report.resident_untouched = 5 * page;
  report.resident_empty = 15 * page;
  report.resident_pools = 100 * page;
  report.resident_live_pages = 70 * page;
  report.resident_descriptors = 2 * page;
  report.ranges = {{0x10000000, 1 << 20}, {0x20000000, 4 * page}};
  return report;
}

const std::vector<Mapping> sample_mappings = {
    {0x1000, 0x9000, 8 * page, "/usr/bin/python3.11"},
    {0xa000, 0x20000, 11 * page, "[heap]"},
    {0x10000000, 0x10000000 + (1 << 20), 100 * page, ""},
    {0x20000000, 0x20000000 + 8 * page, 6 * page, ""},  // two pages of descriptors, and another's
    {0x30000000, 0x30010000, 7 * page, ""},             // a thread's stack
    {0x7ffd0000, 0x7ffe0000, 3 * page, "[stack]"},
    {0x7fff0000, 0x7fff1000, page, "[vdso]"},
};

Ledger sample_ledger() {
  return make_ledger(sample_report(), sample_mappings, {0x30008000},
                     [](std::uint64_t, std::uint64_t) { return 2 * page; });
}

std::map<std::string, std::int64_t> lines_of_ledger(const Ledger& ledger) {
  std::map<std::string, std::int64_t> lines;
  for (const LedgerLine& line : ledger.lines) {
    lines[line.key] = line.bytes;
  }
  return lines;
}

TEST(LedgerLines, AddUpToWhatTheKernelSays) {
  const Ledger ledger = sample_ledger();
  EXPECT_EQ(ledger.resident, 136 * page);
  std::int64_t sum = 0;
  for (const LedgerLine& line : ledger.lines) {
    sum += line.bytes;
  }
  EXPECT_EQ(sum, static_cast<std::int64_t>(ledger.resident));
}

TEST(LedgerLines, EachMappingGoesWhereItsNameAndItsAddressesSay) {
  const auto lines = lines_of_ledger(sample_ledger());
  EXPECT_EQ(lines.at("live_obj"), 50 * page);
  EXPECT_EQ(lines.at("descriptors"), 2 * page);
  EXPECT_EQ(lines.at("files"), 8 * page);
  EXPECT_EQ(lines.at("other_heaps"), (11 + 4) * page);
  EXPECT_EQ(lines.at("stacks"), (7 + 3) * page);
  EXPECT_EQ(lines.at("rest"), page);
  EXPECT_FALSE(lines.contains("live_raw")) << "there is none in most processes";
}

TEST(LedgerLines, ThePageFloorIsWhatPagesWithoutALiveBlockLeave) {
  const Ledger ledger = sample_ledger();
  EXPECT_EQ(ledger.can_go, 30 * page);
  EXPECT_EQ(ledger.page_floor, 106 * page);
  EXPECT_EQ(ledger.pools_page_floor, 70 * page);
  EXPECT_EQ(ledger.drift, 0);
}

TEST(LedgerLines, AskOnlyOfMappingsThatAreTarnsInPart) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> asked;
  static_cast<void>(make_ledger(sample_report(), sample_mappings, {},
                                [&](std::uint64_t start, std::uint64_t end) {
                                  asked.emplace_back(start, end);
                                  return page;
                                }));
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0], std::pair(std::uint64_t{0x20000000}, 0x20000000 + 4 * page));
}

TEST(LedgerLines, AnAnswerLargerThanTheMappingCountsAsTheMapping) {
  const Ledger ledger =
      make_ledger(sample_report(), sample_mappings, {},
                  [](std::uint64_t, std::uint64_t) { return std::uint64_t{1} << 60; });
  EXPECT_EQ(lines_of_ledger(ledger).at("other_heaps"), (11 + 7) * page);
  EXPECT_EQ(ledger.drift, 4 * page);
}

TEST(LedgerLines, AProcessThatRanOnBetweenMakesTheRestLessThanNothing) {
  Report report = sample_report();
  report.resident_live_obj += 10 * page;
  const Ledger ledger = make_ledger(report, sample_mappings, {0x30008000},
                                    [](std::uint64_t, std::uint64_t) { return 2 * page; });
  EXPECT_EQ(lines_of_ledger(ledger).at("rest"), -9 * static_cast<std::int64_t>(page));
  EXPECT_NE(ledger_text(ledger, report, Style(false)).find("-36 KiB"), std::string::npos);
}

TEST(LedgerLines, OfNoMappingsAtAllIsNothing) {
  const Ledger ledger =
      make_ledger(Report{}, {}, {}, [](std::uint64_t, std::uint64_t) { return std::uint64_t{0}; });
  EXPECT_EQ(ledger.resident, 0U);
  EXPECT_EQ(ledger.page_floor, 0U);
  EXPECT_NE(ledger_text(ledger, Report{}, Style(false)).find("a Python"), std::string::npos);
}

TEST(LedgerLines, AsJsonTheyAreTheSame) {
  const auto json = nlohmann::json::parse(ledger_json(sample_ledger(), sample_report()));
  EXPECT_EQ(json["tarn_ledger"], 1);
  EXPECT_EQ(json["pid"], 4711);
  EXPECT_EQ(json["resident"], 136 * page);
  std::int64_t sum = 0;
  for (const auto& [key, bytes] : json["lines"].items()) {
    sum += bytes.get<std::int64_t>();
  }
  EXPECT_EQ(sum, static_cast<std::int64_t>(136 * page));
  EXPECT_EQ(json["page_floor"], 106 * page);
}

}  // namespace
}  // namespace tarn::cli
