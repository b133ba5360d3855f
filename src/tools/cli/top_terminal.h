// The screen of `tarn top`, on ncurses. Only here is the terminal's description read: other commands don't pay
// for it.
#pragma once

#include <vector>

#include "tools/cli/top_layout.h"

namespace tarn::cli {

// Whether standard input and output are a terminal on which the cursor can be moved.
[[nodiscard]] bool has_screen();

// While it lives the terminal is ours, and is put back afterwards however that comes. One at a time. Throws Failure.
class TopTerminal {
 public:
  TopTerminal();
  ~TopTerminal();
  TopTerminal(const TopTerminal&) = delete;
  TopTerminal& operator=(const TopTerminal&) = delete;

  [[nodiscard]] std::size_t width() const;
  [[nodiscard]] std::size_t height() const;
  [[nodiscard]] Glyphs glyphs() const { return glyphs_; }

  void show(const std::vector<ScreenLine>& lines);
  // The next key that was pressed, lower case; zero: none. -1: the terminal is gone.
  [[nodiscard]] int key();
  void resize();  // the window has another size
  void lend();    // for a while: somebody else writes to it
  void take_back();

 private:
  void* screen_ = nullptr;
  Glyphs glyphs_ = Glyphs::ascii;
  bool has_colour_ = false;
};

}  // namespace tarn::cli
