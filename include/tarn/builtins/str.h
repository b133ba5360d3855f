// str: code points, stored as UTF-8. Its length is in code points; where all are ASCII, the n-th is found at once,
// otherwise by walking from the start: at(), slice() and find() are linear then.
//
// There are no lone surrogates, since UTF-8 has none. The empty str and those of one code point up to 255 exist once and
// are immortal. Interned strs (Builtins::intern) with the same text are the same object; an interned str dies like any
// other. Hashes are those of CPython 3.11 and later with the same seed (BuiltinsOptions::hash_seed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tarn/builtins/slice.h>

namespace tarn {

class Builtins;
class List;

class Str final : public Sized<Str, char> {
 public:
  static constexpr const char* type_name = "str";
  static constexpr bool items_start_undefined = true;

  // For Builtins, which then fills in the text.
  explicit Str(std::size_t length) noexcept : length_(length & (SIZE_MAX >> 1)) {}
  ~Str() {
    if (is_interned_) {
      leave_interned();
    }
  }
  Str(const Str&) = delete;
  Str& operator=(const Str&) = delete;

  [[nodiscard]] std::string_view utf8() const noexcept { return {items().data(), size()}; }
  [[nodiscard]] std::size_t length() const noexcept { return length_; }  // code points
  [[nodiscard]] bool is_ascii() const noexcept { return length_ == size(); }
  [[nodiscard]] bool is_interned() const noexcept { return is_interned_; }

  // IndexError; ValueError.
  [[nodiscard]] Ref<Str> at(Index index) const;
  [[nodiscard]] Ref<Str> slice(const Slice& slice) const;
  // The index of the first one at or after `from`; -1: there's none.
  [[nodiscard]] Index find(const Str& part, std::size_t from = 0) const noexcept;
  [[nodiscard]] bool contains(const Str& part) const noexcept {
    return utf8().find(part.utf8()) != std::string_view::npos;
  }
  // OverflowError when it would be larger than any object.
  [[nodiscard]] Ref<Str> join(const Str& other) const;
  [[nodiscard]] Ref<Str> repeat(Index times) const;
  // This one between the parts. TypeError when one is no str.
  [[nodiscard]] Ref<Str> join_all(const List& parts) const;

  [[nodiscard]] std::string repr() const;
  [[nodiscard]] std::size_t hash() const noexcept { return hash_ != no_hash ? hash_ : find_hash(); }
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const noexcept;
  [[nodiscard]] Ref<Object> iterate();

 private:
  friend class Builtins;
  friend class StrIterator;

  [[nodiscard]] std::size_t find_hash() const noexcept;
  void leave_interned() noexcept;
  // Where the code point with this index starts, in bytes; the index is no more than the length.
  [[nodiscard]] std::size_t offset_of(std::size_t index) const noexcept;

  mutable std::size_t hash_ = no_hash;
  std::size_t length_ : 63;
  std::size_t is_interned_ : 1 = 0;

  static constexpr std::size_t no_hash = SIZE_MAX;  // as in CPython, nothing hashes to it
};

}  // namespace tarn
