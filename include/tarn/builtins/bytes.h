// bytes. The empty one and those of one byte exist once and are immortal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tarn/builtins/int.h>
#include <tarn/builtins/slice.h>

namespace tarn {

class Builtins;

class Bytes final : public Sized<Bytes, char> {
 public:
  static constexpr const char* type_name = "bytes";
  static constexpr bool items_start_undefined = true;

  [[nodiscard]] std::string_view view() const noexcept { return {items().data(), size()}; }

  // IndexError; ValueError.
  [[nodiscard]] Ref<Int> at(Index index) const;
  [[nodiscard]] Ref<Bytes> slice(const Slice& slice) const;
  // OverflowError when it would be larger than any object.
  [[nodiscard]] Ref<Bytes> join(const Bytes& other) const;
  [[nodiscard]] Ref<Bytes> repeat(Index times) const;

  [[nodiscard]] std::string repr() const;
  [[nodiscard]] std::size_t hash() const noexcept;
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const noexcept;
  [[nodiscard]] Ref<Object> iterate();

 private:
  mutable std::size_t hash_ = no_hash;

  static constexpr std::size_t no_hash = SIZE_MAX;
};

}  // namespace tarn
