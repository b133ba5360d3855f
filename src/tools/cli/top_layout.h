// What `tarn top` shows, as lines of text: for a screen of any size, and for a place without one. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/cli/top_figures.h"

namespace tarn::cli {

enum class Tone { plain, bright, dim, good, middling, bad, inverse };
enum class Glyphs { ascii, unicode };

struct Span {
  std::string text;  // UTF-8; one column for each character
  Tone tone = Tone::plain;
};
using ScreenLine = std::vector<Span>;

struct TopScreen {
  std::string name;  // of the program; printable
  std::uint64_t pid = 0;
  std::string clock;    // "17:12:03"
  std::string trouble;  // "waiting for Python's lock, 3 s"; empty: the figures are of now
  std::string message;  // of what was last asked for
  TopOrder order = TopOrder::live;
  bool shows_help = false;
  double now = 0;  // on the figures' clock
};

// At most `height` lines of at most `width` columns; the last is the keys.
[[nodiscard]] std::vector<ScreenLine> lay_out(const TopFigures& figures, const TopScreen& screen,
                                              std::size_t width, std::size_t height, Glyphs glyphs);

// The whole in one line, as it's printed each second where there's no terminal.
[[nodiscard]] std::string line_of(const TopFigures& figures, const TopScreen& screen);
[[nodiscard]] std::string json_line_of(const TopFigures& figures, const TopScreen& screen);

// Parts, for tests.

// `part` of `whole`, in cells.
[[nodiscard]] std::string bar(double part, double whole, std::size_t cells, Glyphs glyphs);
// One cell for each value, the last ones where there are more; from zero to `top`.
[[nodiscard]] std::string sparkline(const std::vector<std::uint64_t>& values, std::uint64_t top,
                                    std::size_t cells, Glyphs glyphs);
// Neighbours are averaged where there are more values than cells.
[[nodiscard]] std::vector<double> to_cells(const std::vector<double>& values, std::size_t cells);
[[nodiscard]] std::size_t columns_of(const ScreenLine& line);
[[nodiscard]] std::string text_of(const ScreenLine& line);

}  // namespace tarn::cli
