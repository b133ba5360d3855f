// float: a double. Shown as the shortest text that reads back as the same number, hashed so that equal ints have equal
// hashes, compared with ints exactly.
#pragma once

#include <string>
#include <string_view>

#include <tarn/builtins/operations.h>

namespace tarn {

class Float final : public Object {
 public:
  static constexpr const char* type_name = "float";

  explicit Float(double value) noexcept : value_(value) {}

  [[nodiscard]] double value() const noexcept { return value_; }

  // float(text). ValueError.
  [[nodiscard]] static double parse(std::string_view text);

  [[nodiscard]] std::string repr() const;
  [[nodiscard]] std::size_t hash() const noexcept;
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const noexcept;

 private:
  double value_;
};

}  // namespace tarn
