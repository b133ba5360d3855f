// Where tarn speaks: whole texts to standard output, lines that begin with "tarn: " to standard error.
#pragma once

#include <string>
#include <string_view>

namespace tarn::cli {

// Whether to colour what goes to this descriptor: it is a terminal, and NO_COLOR is unset or empty.
[[nodiscard]] bool wants_colour(int descriptor);

// Sparse on purpose: headings bold, what is in the way red.
class Style {
 public:
  explicit Style(bool colour) : colour_(colour) {}
  [[nodiscard]] std::string heading(std::string_view text) const { return wrap("1", text); }
  [[nodiscard]] std::string trouble(std::string_view text) const { return wrap("31", text); }

 private:
  [[nodiscard]] std::string wrap(std::string_view code, std::string_view text) const;
  bool colour_;
};

// Writes all of the text. Throws Failure when standard output can't take it.
void print(std::string_view text);

// Writes all of the text to standard error, as far as that goes: there is nowhere to complain.
void print_error(std::string_view text) noexcept;

// "tarn: <text>\n" to standard error, in one write.
void complain(std::string_view text);

}  // namespace tarn::cli
