// Putting numbers and other people's strings into lines for a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::cli {

// Each byte outside 0x20..0x7e, and each backslash, as \xNN: nothing that comes from outside can move
// the cursor, change the colour or end the line.
[[nodiscard]] std::string escape(std::string_view bytes);

// At most `width` characters; what is too much goes from the middle, where "..." then stands.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t width);

// 1234567 as "1,234,567".
[[nodiscard]] std::string count_text(std::uint64_t count);

// "512 B", "16 KiB", "9.4 MiB": one decimal unless the amount is whole.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// The lines of a text, without their ends; a last line without an end counts.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

// Cells in columns as wide as the widest, two spaces between them: the first column to the left, the
// others to the right. Rows may be of different length.
class Table {
 public:
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // One string a row, without trailing spaces.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tarn::cli
