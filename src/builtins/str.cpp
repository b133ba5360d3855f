#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "builtins/iterators.h"
#include "builtins/siphash.h"
#include "builtins/support.h"
#include "builtins/unicode.h"

namespace tarn {

using builtins::own;

std::size_t Str::offset_of(std::size_t index) const noexcept {
  if (is_ascii()) {
    return index;
  }
  const std::string_view text = utf8();
  std::size_t offset = 0;
  for (; index != 0; --index) {
    offset += builtins::bytes_of_code_point(text[offset]);
  }
  return offset;
}

Ref<Str> Str::at(Index index) const {
  const std::size_t offset = offset_of(detail::checked_index(index, length(), "string index"));
  return Builtins::of(*this).make_string(
      utf8().substr(offset, builtins::bytes_of_code_point(utf8()[offset])), 1);
}

Ref<Str> Str::slice(const Slice& slice) const {
  const Slice::Range range = slice.of(length());
  Builtins& all = Builtins::of(*this);
  if (range.count == length() && range.step == 1) {
    return own(*this);
  }
  const std::string_view text = utf8();
  if (range.step == 1) {
    const std::size_t start =
        range.count == 0 ? 0 : offset_of(static_cast<std::size_t>(range.start));
    std::size_t end = start + range.count;
    if (!is_ascii()) {
      end = start;
      for (std::size_t i = 0; i < range.count; ++i) {
        end += builtins::bytes_of_code_point(text[end]);
      }
    }
    return all.make_string(text.substr(start, end - start), range.count);
  }
  std::vector<std::size_t> starts;  // of the code points, where they aren't bytes
  if (!is_ascii()) {
    starts.reserve(length());
    for (std::size_t offset = 0; offset < text.size();
         offset += builtins::bytes_of_code_point(text[offset])) {
      starts.push_back(offset);
    }
  }
  std::string taken;
  Index index = range.start;
  for (std::size_t i = 0; i < range.count; ++i, index += range.step) {
    const auto place = static_cast<std::size_t>(index);
    const std::size_t offset = is_ascii() ? place : starts[place];
    taken += text.substr(offset, builtins::bytes_of_code_point(text[offset]));
  }
  return all.make_string(taken, range.count);
}

Index Str::find(const Str& part, std::size_t from) const noexcept {
  if (from > length()) {
    return -1;
  }
  const std::string_view text = utf8();
  const std::size_t start = offset_of(from);
  const std::size_t found = text.find(part.utf8(), start);
  if (found == std::string_view::npos) {
    return -1;
  }
  if (is_ascii()) {
    return static_cast<Index>(found);
  }
  const auto starts_one = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  };
  const std::string_view between = text.substr(start, found - start);
  return static_cast<Index>(from) + std::count_if(between.begin(), between.end(), starts_one);
}

namespace {

// A str of so many bytes and code points whose text `fill` writes.
template <typename Fill>
Ref<Str> filled(const Str& of, std::size_t bytes, std::size_t length, Fill fill) {
  Ref<Str> result = Builtins::of(of).heap().make_sized<Str>(bytes, length);
  fill(result->items().data());
  return result;
}

char* put(char* to, std::string_view text) noexcept {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

Ref<Str> Str::join(const Str& other) const {
  if (other.size() == 0) {
    return own(*this);
  }
  if (size() == 0) {
    return own(other);
  }
  return filled(*this, size() + other.size(), length() + other.length(),
                [&](char* to) { (void)put(put(to, utf8()), other.utf8()); });
}

Ref<Str> Str::repeat(Index times) const {
  const std::size_t bytes = builtins::repeated_size(size(), times, 1);
  if (bytes == size()) {
    return own(*this);
  }
  if (bytes == 0) {
    return Builtins::of(*this).make_string({}, 0);
  }
  if (bytes == 1) {
    return own(*this);
  }
  return filled(*this, bytes, length() * static_cast<std::size_t>(times), [&](char* to) {
    for (const char* const end = to + bytes; to != end;) {
      to = put(to, utf8());
    }
  });
}

Ref<Str> Str::join_all(const List& parts) const {
  std::vector<Ref<Object>> held;  // making the str may change the list
  held.reserve(parts.size());
  std::size_t bytes = 0;
  std::size_t points = 0;
  for (const Member<Object>& item : parts.items()) {
    if (!item || !is<Str>(*item)) {
      throw TypeError("sequence item " + std::to_string(held.size()) + ": expected str instance, " +
                      (item ? item->type().name() : "nothing") + " found");
    }
    const auto& part = static_cast<const Str&>(*item);
    bytes += part.size() + (held.empty() ? 0 : size());
    points += part.length() + (held.empty() ? 0 : length());
    held.emplace_back(item);
  }
  if (held.size() == 1) {
    return cast<Str>(held[0]);
  }
  if (bytes == 0) {
    return Builtins::of(*this).make_string({}, 0);
  }
  return filled(*this, bytes, points, [&](char* to) {
    for (std::size_t i = 0; i < held.size(); ++i) {
      to = i == 0 ? to : put(to, utf8());
      to = put(to, static_cast<const Str&>(*held[i]).utf8());
    }
  });
}

std::string Str::repr() const { return builtins::repr_of_text(utf8()); }

// CPython hashes code points in one, two or four bytes each, as the largest needs.
std::size_t Str::find_hash() const noexcept {
  const Builtins& all = Builtins::of(*this);
  const std::string_view text = utf8();
  if (is_ascii()) {
    return hash_ = all.hash_of(text);
  }
  std::uint32_t largest = 0;
  for (std::size_t offset = 0; offset < text.size();) {
    largest = std::max(largest, builtins::next_code_point(text, offset));
  }
  const unsigned width = largest <= 0xFF ? 1 : largest <= 0xFFFF ? 2 : 4;
  builtins::SipHash13 hasher(all.hash_key());
  for (std::size_t offset = 0; offset < text.size();) {
    const std::uint32_t point = builtins::next_code_point(text, offset);
    for (unsigned byte = 0; byte < width; ++byte) {
      hasher.add_byte(static_cast<std::uint8_t>(point >> (8 * byte)));
    }
  }
  return hash_ = builtins::as_hash(hasher.finish());
}

// The order of UTF-8's bytes is that of the code points.
Comparison Str::compare(const Object& other, CompareOperator comparison) const noexcept {
  if (!is<Str>(other)) {
    return Comparison::not_implemented;
  }
  const auto& right = static_cast<const Str&>(other);
  if (builtins::asks_equality(comparison)) {
    const bool equal = length() == right.length() && utf8() == right.utf8();
    return builtins::answer(equal == (comparison == CompareOperator::equal));
  }
  return builtins::answer_order(utf8().compare(right.utf8()), comparison);
}

Ref<Object> Str::iterate() { return type().heap().make<StrIterator>(own(*this)); }

void Str::leave_interned() noexcept {
  if (void* const all = type().context(); all != nullptr) {
    static_cast<Builtins*>(all)->interned_.erase(this);
  }
}

Ref<Str> Builtins::make_string(std::string_view utf8, std::size_t length) {
  if (length == 0) {
    return empty_string_;
  }
  if (length == 1 && utf8.size() <= 2) {
    std::size_t offset = 0;
    const std::uint32_t point = builtins::next_code_point(utf8, offset);
    if (point < characters_.size() && characters_[point]) {
      return characters_[point];
    }
  }
  Ref<Str> result = heap_.make_sized<Str>(utf8.size(), length);
  std::memcpy(result->items().data(), utf8.data(), utf8.size());
  return result;
}

Ref<Str> Builtins::string(std::string_view utf8) {
  std::size_t bad = 0;
  const std::size_t length = builtins::count_code_points(utf8, bad);
  if (length == std::string_view::npos) {
    throw ValueError("the text is no UTF-8 from byte " + std::to_string(bad) + " on");
  }
  return make_string(utf8, length);
}

Ref<Str> Builtins::intern(std::string_view utf8) {
  if (const auto found = interned_.find(utf8); found != interned_.end()) {
    if (!detail::Access::is_dying(**found)) {
      return Ref<Str>(share, *found);
    }
    (*found)->is_interned_ = false;  // it waits for its end
    interned_.erase(found);
  }
  Ref<Str> string = this->string(utf8);
  // Making it may have run code of the program's, and that may have interned the same.
  const auto [place, is_new] = interned_.insert(string.get());
  string->is_interned_ = string->is_interned_ || is_new;
  return is_new ? string : Ref<Str>(share, *place);
}

std::size_t Builtins::hash_of(std::string_view bytes) const noexcept {
  if (bytes.empty()) {
    return 0;
  }
  builtins::SipHash13 hasher(hash_key_);
  hasher.add(bytes.data(), bytes.size());
  return builtins::as_hash(hasher.finish());
}

}  // namespace tarn
