// Columns of numbers and texts in a row of bytes: what the page of tarn map reads (web/map/src/columns.ts).
//
//   "TARNMAP1"   count of columns: u32   0: u32
//   each column: kind: u8   length of its name: u8   its name   zeros up to a multiple of 8 from the start
//                elements: u32   bytes: u32   the elements   zeros up to a multiple of 8
//
// Kinds: 1 u8, 2 u16, 3 u32, 4 double, 5 texts (elements + 1 offsets of u32, then UTF-8). All little-endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::sight {

class Columns {
 public:
  Columns();

  void add(std::string_view name, const std::vector<std::uint8_t>& elements);
  void add(std::string_view name, const std::vector<std::uint16_t>& elements);
  void add(std::string_view name, const std::vector<std::uint32_t>& elements);
  void add(std::string_view name, const std::vector<double>& elements);
  void add(std::string_view name, const std::vector<std::string>& texts);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void begin(std::uint8_t kind, std::string_view name, std::size_t elements, std::size_t bytes);
  void pad();

  std::string bytes_;
  std::uint32_t count_ = 0;
};

}  // namespace tarn::sight
