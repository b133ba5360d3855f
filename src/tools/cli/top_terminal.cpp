#include "tools/cli/top_terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cctype>
#include <clocale>
#include <cstdlib>
#include <string>
#include <string_view>

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

#include "tools/cli/console.h"
#include "tools/cli/failure.h"

// Of <term.h>, which has "lines", "columns" and 500 other words as macros.
extern "C" {
struct term;
extern term* cur_term;
int setupterm(const char* name, int descriptor, int* error);
int del_curterm(term* terminal);
}

namespace tarn::cli {
namespace {

// What is typed and shown is UTF-8 if the environment says so. Other character sets are not asked for: the C library
// would load conversions for them, which a static program shouldn't.
bool set_utf8() {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
      continue;
    }
    std::string lower;
    for (const char* at = value; *at != '\0'; ++at) {
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(*at)));
    }
    if (lower.find("utf-8") == std::string::npos && lower.find("utf8") == std::string::npos) {
      return false;
    }
    return std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr ||
           std::setlocale(LC_CTYPE, value) != nullptr;
  }
  return false;
}

// Terminals of hardware, and a console, have no such characters whatever the environment says.
bool has_blocks(const char* terminal) {
  const std::string_view name = terminal == nullptr ? "" : terminal;
  return !name.starts_with("vt") && name != "ansi";
}

int pair_of(Tone tone) {
  switch (tone) {
    case Tone::good:
      return 1;
    case Tone::middling:
      return 2;
    case Tone::bad:
      return 3;
    default:
      return 0;
  }
}

attr_t attributes_of(Tone tone) {
  switch (tone) {
    case Tone::bright:
      return A_BOLD;
    case Tone::inverse:
      return A_REVERSE;
    default:
      return A_NORMAL;
  }
}

}  // namespace

bool has_screen() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
    return false;
  }
  const char* const name = std::getenv("TERM");
  int error = 0;
  if (name == nullptr || *name == '\0' || ::setupterm(nullptr, STDOUT_FILENO, &error) != OK) {
    return false;
  }
  const char* const move = ::tigetstr("cup");
  const bool moves = move != nullptr && move != reinterpret_cast<const char*>(-1);
  ::del_curterm(::cur_term);
  return moves;
}

TopTerminal::TopTerminal() {
  if (set_utf8() && has_blocks(std::getenv("TERM"))) {
    glyphs_ = Glyphs::unicode;
  }
  screen_ = ::newterm(nullptr, stdout, stdin);
  if (screen_ == nullptr) {
    throw Failure(exit_failure, "the terminal can't be used; --lines prints lines instead");
  }
  ::cbreak();
  ::noecho();
  ::nonl();
  ::nodelay(::stdscr, TRUE);
  ::keypad(::stdscr, TRUE);
  ::set_escdelay(25);
  ::curs_set(0);
  has_colour_ = wants_colour(STDOUT_FILENO) && ::has_colors() && ::start_color() == OK;
  if (has_colour_) {
    ::use_default_colors();
    ::init_pair(1, COLOR_GREEN, -1);
    ::init_pair(2, COLOR_CYAN, -1);
    ::init_pair(3, COLOR_RED, -1);
  }
}

TopTerminal::~TopTerminal() {
  ::endwin();
  ::delscreen(static_cast<SCREEN*>(screen_));
}

std::size_t TopTerminal::width() const { return static_cast<std::size_t>(::getmaxx(::stdscr)); }
std::size_t TopTerminal::height() const { return static_cast<std::size_t>(::getmaxy(::stdscr)); }

void TopTerminal::show(const std::vector<ScreenLine>& lines) {
  ::werase(::stdscr);
  for (std::size_t y = 0; y < lines.size(); ++y) {
    ::wmove(::stdscr, static_cast<int>(y), 0);
    for (const Span& span : lines[y]) {
      ::wattr_set(::stdscr, attributes_of(span.tone),
                  static_cast<short>(has_colour_ ? pair_of(span.tone) : 0), nullptr);
      ::waddnstr(::stdscr, span.text.data(), static_cast<int>(span.text.size()));
    }
  }
  ::wattr_set(::stdscr, A_NORMAL, 0, nullptr);
  ::wrefresh(::stdscr);
}

int TopTerminal::key() {
  int key;
  do {
    key = ::wgetch(::stdscr);
  } while (key == KEY_RESIZE);  // ours: resize() has made it
  if (key == ERR) {
    // With something to read that isn't there: the other side has hung up.
    int waiting = 0;
    return ::ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0 ? -1 : 0;
  }
  return key < 256 ? std::tolower(key) : key;
}

void TopTerminal::resize() {
  winsize size = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
    ::resizeterm(size.ws_row, size.ws_col);
    ::wclear(::stdscr);
  }
}

void TopTerminal::lend() { ::endwin(); }

void TopTerminal::take_back() {
  resize();
  ::wclear(::stdscr);
  ::wrefresh(::stdscr);
}

}  // namespace tarn::cli
