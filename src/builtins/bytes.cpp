#include <cstdio>
#include <cstring>

#include "builtins/iterators.h"
#include "builtins/support.h"

namespace tarn {

using builtins::own;

Ref<Int> Bytes::at(Index index) const {
  const std::size_t place = detail::checked_index(index, size(), "index");
  return Builtins::of(*this).integer(static_cast<unsigned char>(view()[place]));
}

Ref<Bytes> Bytes::slice(const Slice& slice) const {
  const Slice::Range range = slice.of(size());
  if (range.count == size() && range.step == 1) {
    return own(*this);
  }
  if (range.step == 1) {
    return Builtins::of(*this).bytes(
        view().substr(static_cast<std::size_t>(range.start), range.count));
  }
  std::string taken;
  taken.reserve(range.count);
  Index index = range.start;
  for (std::size_t i = 0; i < range.count; ++i, index += range.step) {
    taken.push_back(view()[static_cast<std::size_t>(index)]);
  }
  return Builtins::of(*this).bytes(taken);
}

Ref<Bytes> Bytes::join(const Bytes& other) const {
  if (other.size() == 0) {
    return own(*this);
  }
  if (size() == 0) {
    return own(other);
  }
  Ref<Bytes> result = Builtins::of(*this).heap().make_sized<Bytes>(size() + other.size());
  std::memcpy(result->items().data(), view().data(), size());
  std::memcpy(result->items().data() + size(), other.view().data(), other.size());
  return result;
}

Ref<Bytes> Bytes::repeat(Index times) const {
  const std::size_t bytes = builtins::repeated_size(size(), times, 1);
  if (bytes == size()) {
    return own(*this);
  }
  if (bytes == 0) {
    return Builtins::of(*this).bytes({});
  }
  Ref<Bytes> result = Builtins::of(*this).heap().make_sized<Bytes>(bytes);
  for (std::size_t i = 0; i < bytes; i += size()) {
    std::memcpy(result->items().data() + i, view().data(), size());
  }
  return result;
}

std::string Bytes::repr() const {
  const std::string_view text = view();
  const bool doubles =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = doubles ? '"' : '\'';
  std::string shown = {'b', quote};
  for (const char letter : text) {
    if (letter == quote || letter == '\\') {
      shown += '\\';
      shown += letter;
    } else if (letter == '\n' || letter == '\t' || letter == '\r') {
      shown += '\\';
      shown += letter == '\n' ? 'n' : letter == '\t' ? 't' : 'r';
    } else if (letter < ' ' || letter == 0x7F) {
      char escaped[8];
      (void)std::snprintf(escaped, sizeof(escaped), "\\x%02x", static_cast<unsigned char>(letter));
      shown += escaped;
    } else {
      shown += letter;
    }
  }
  return shown + quote;
}

std::size_t Bytes::hash() const noexcept {
  if (hash_ == no_hash) {
    hash_ = Builtins::of(*this).hash_of(view());
  }
  return hash_;
}

Comparison Bytes::compare(const Object& other, CompareOperator comparison) const noexcept {
  if (!is<Bytes>(other)) {
    return Comparison::not_implemented;
  }
  return builtins::answer_order(view().compare(static_cast<const Bytes&>(other).view()),
                                comparison);
}

Ref<Object> Bytes::iterate() { return type().heap().make<SequenceIterator<Bytes>>(own(*this)); }

Ref<Bytes> Builtins::bytes(std::string_view bytes) {
  if (bytes.empty()) {
    return empty_bytes_;
  }
  if (bytes.size() == 1) {
    if (const Ref<Bytes>& single = single_bytes_[static_cast<unsigned char>(bytes[0])]) {
      return single;
    }
  }
  Ref<Bytes> result = heap_.make_sized<Bytes>(bytes.size());
  std::memcpy(result->items().data(), bytes.data(), bytes.size());
  return result;
}

}  // namespace tarn
