// What `tarn top` makes of pulses, and how that is laid out.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include <gtest/gtest.h>

#include "tools/cli/top_figures.h"
#include "tools/cli/top_layout.h"

namespace tarn::cli {
namespace {

constexpr std::uint64_t mebibyte = 1U << 20U;

// A heap of `arenas` of 1 MiB, of which every `stride`-th was looked at; each has ten pools of 64-byte blocks, half
// of them live.
Pulse pulse_of(std::uint64_t turn, std::uint64_t arenas, std::uint64_t stride) {
  Pulse pulse;
  pulse.pid = 4711;
  pulse.turn = turn;
  pulse.allocated = arenas * 10 * 8192;
  pulse.handed_out = turn * mebibyte;
  Pulse::Tier tier{.arena_size = mebibyte,
                   .pool_size = 16384,
                   .pools_per_arena = 64,
                   .arenas = arenas,
                   .pools_taken = arenas * 10};
  for (std::uint64_t i = 0; i < arenas; ++i) {
    const bool sampled = i % stride == turn % stride;
    tier.sampled_arenas += sampled ? 1U : 0U;
    tier.groups.push_back({.address = 0x7f0000000000 + i * mebibyte,
                           .arenas = 1,
                           .pools_taken = 10,
                           .sampled = sampled ? 1U : 0U,
                           .live = sampled ? 10U * 8192U : 0U});
  }
  tier.sampled_taken = tier.sampled_arenas * 10;
  pulse.classes.push_back({.tier = 0,
                           .szidx = 3,
                           .block_size = 64,
                           .pools = tier.sampled_taken,
                           .allocated = tier.sampled_taken * 128,
                           .free = tier.sampled_taken * 100,
                           .untouched = tier.sampled_taken * 28});
  pulse.tiers.push_back(std::move(tier));
  return pulse;
}

TopFigures figures_after(std::uint64_t turns, std::uint64_t arenas, std::uint64_t stride) {
  TopHistory history;
  for (std::uint64_t turn = 1; turn <= turns; ++turn) {
    const double time = static_cast<double>(turn) / 2;
    history.add_resident(time, 100 * mebibyte);
    history.add_pulse(time, pulse_of(turn, arenas, stride));
  }
  return history.figures(TopOrder::live);
}

TopScreen screen_of() {
  TopScreen screen;
  screen.name = "python3";
  screen.pid = 4711;
  screen.clock = "17:12:03";
  screen.now = 10;
  return screen;
}

std::string text_of(const std::vector<ScreenLine>& lines) {
  std::string text;
  for (const ScreenLine& line : lines) {
    text += text_of(line) + "\n";
  }
  return text;
}

TEST(TopFigures, AHeapThatIsLookedAtWholeIsCountedExactly) {
  const TopFigures figures = figures_after(1, 20, 1);
  EXPECT_FALSE(figures.is_estimate);
  ASSERT_EQ(figures.classes.size(), 1U);
  EXPECT_EQ(figures.classes[0].pools, 200U);
  EXPECT_EQ(figures.classes[0].blocks, 200U * 128);
  EXPECT_EQ(figures.blocks, 200U * 128);
  EXPECT_EQ(figures.classes[0].live_bytes, 200U * 128 * 64);
  EXPECT_EQ(figures.classes[0].free_bytes, 200U * 128 * 64);
}

TEST(TopFigures, OneThatIsLookedAtInPartsIsEstimatedFromTheFirstTurnOn) {
  for (const std::uint64_t turns : {1, 2, 5, 40}) {
    const TopFigures figures = figures_after(turns, 100, 5);
    EXPECT_TRUE(figures.is_estimate);
    ASSERT_EQ(figures.classes.size(), 1U);
    EXPECT_EQ(figures.classes[0].pools, 1000U) << turns;
    EXPECT_EQ(figures.blocks, 128'000U) << turns;
  }
}

TEST(TopFigures, AnArenaStaysAsFullAsItWasSeenLast) {
  const TopFigures first = figures_after(1, 10, 5);
  // Not looked at yet: by its pools.
  EXPECT_DOUBLE_EQ(first.tiers[0].cells[0], 10.0 / 64);
  EXPECT_DOUBLE_EQ(first.tiers[0].cells[1], 10 * 8192.0 / mebibyte);
  const TopFigures later = figures_after(5, 10, 5);
  for (const double cell : later.tiers[0].cells) {
    EXPECT_DOUBLE_EQ(cell, 10 * 8192.0 / mebibyte);
  }
}

TEST(TopFigures, RatesAreOfTheLastSeconds) {
  const TopFigures figures = figures_after(20, 10, 1);
  EXPECT_DOUBLE_EQ(figures.handed_out, 2.0 * mebibyte);  // 1 MiB a turn, two turns a second
  EXPECT_DOUBLE_EQ(figures.growth, 0);
  EXPECT_EQ(figures.resident_history.size(), 20U);
}

TEST(TopFigures, AMinuteIsKept) {
  EXPECT_LE(figures_after(1000, 2, 1).resident_history.size(), 121U);
}

TEST(TopFigures, OrdersSizeClassesAsAsked) {
  TopHistory history;
  Pulse pulse = pulse_of(1, 2, 1);
  pulse.classes.push_back(
      {.tier = 0, .szidx = 9, .block_size = 160, .pools = 1, .allocated = 90, .free = 12});
  history.add_pulse(1, pulse);
  EXPECT_EQ(history.figures(TopOrder::live).classes[0].block_size, 64U);
  EXPECT_EQ(history.figures(TopOrder::size).classes[0].block_size, 160U);
  TopOrder order = TopOrder::live;
  for (int i = 0; i < 5; ++i) {
    order = next(order);
  }
  EXPECT_EQ(order, TopOrder::live);
}

TEST(TopLayout, FitsEveryScreen) {
  const TopFigures figures = figures_after(40, 600, 5);
  for (const std::size_t width : {1, 2, 10, 40, 80, 200}) {
    for (const std::size_t height : {1, 2, 5, 24, 60}) {
      for (const bool help : {false, true}) {
        for (const Glyphs glyphs : {Glyphs::ascii, Glyphs::unicode}) {
          TopScreen screen = screen_of();
          screen.shows_help = help;
          const std::vector<ScreenLine> lines = lay_out(figures, screen, width, height, glyphs);
          EXPECT_LE(lines.size(), height);
          for (const ScreenLine& line : lines) {
            EXPECT_LE(columns_of(line), width) << width << "x" << height;
          }
        }
      }
    }
  }
}

TEST(TopLayout, SaysItAllInTwentyFourLinesOfEighty) {
  TopHistory history;
  history.add_pulse(9, pulse_of(1, 20, 1));
  history.add_resident(9.5, 100 * mebibyte);
  history.set_residency({.time = 5, .seconds = 0.02, .retained = 3 * mebibyte, .pinned = mebibyte});
  const std::string text =
      text_of(lay_out(history.figures(TopOrder::live), screen_of(), 80, 24, Glyphs::ascii));
  for (const char* const words :
       {"tarn top  python3 (4711)", "17:12:03", "resident     100.0 MiB", "live           1.6 MiB",
        "retained       3.0 MiB  of it pinned 1.0 MiB, measured 5 s ago in 20.0 ms",
        "25,600 blocks", "collection", "arenas          20 x 1 MiB", "large", "*live bytes",
        "      64 B       200", "q leave", "by live bytes"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
  EXPECT_TRUE(
      std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
}

TEST(TopLayout, TroubleComesBeforeAMessage) {
  TopScreen screen = screen_of();
  screen.message = "a file";
  EXPECT_NE(text_of(lay_out({}, screen, 80, 24, Glyphs::ascii)).find("a file"), std::string::npos);
  screen.trouble = "waiting for Python's lock (the GIL): 3 s";
  const std::string text = text_of(lay_out({}, screen, 80, 24, Glyphs::ascii));
  EXPECT_NE(text.find("waiting for Python's lock (the GIL): 3 s"), std::string::npos);
  EXPECT_NE(line_of({}, screen).find("waiting for"), std::string::npos);
}

TEST(TopLayout, BarsSparklinesAndCells) {
  EXPECT_EQ(bar(1, 2, 8, Glyphs::ascii), "####....");
  EXPECT_EQ(bar(3, 2, 4, Glyphs::ascii), "####");
  EXPECT_EQ(bar(1, 0, 4, Glyphs::ascii), "....");
  EXPECT_EQ(sparkline({0, 1, 2, 4, 8}, 8, 10, Glyphs::ascii), " _.~#");
  EXPECT_EQ(sparkline({1, 8, 1, 1}, 8, 2, Glyphs::ascii), "#_");
  EXPECT_EQ(to_cells({0, 1, 0, 1}, 2), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(to_cells({1, 0}, 5).size(), 2U);
}

TEST(TopLayout, ALineIsJsonWhereThatIsAskedFor) {
  const nlohmann::json json =
      nlohmann::json::parse(json_line_of(figures_after(3, 20, 1), screen_of()));
  EXPECT_EQ(json["pid"], 4711);
  EXPECT_EQ(json["resident"], 100 * mebibyte);
  EXPECT_EQ(json["classes"][0]["blocks"], 25'600);
  EXPECT_EQ(json["tiers"][0]["arenas"], 20);
}

}  // namespace
}  // namespace tarn::cli
