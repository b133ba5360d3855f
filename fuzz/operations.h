// Bytes into operations. A fuzz target lists its operations, each a struct that is read from bytes and has
// `perform(state)`; run_operations reads one after the other until the bytes are used up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tarn::fuzz {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  [[nodiscard]] bool are_used_up() const { return left_ == 0; }

  // Zero once the bytes are used up.
  template <typename Number>
  [[nodiscard]] Number number() {
    Number value = 0;
    const std::size_t size = sizeof(Number) < left_ ? sizeof(Number) : left_;
    std::memcpy(&value, data_, size);
    data_ += size;
    left_ -= size;
    return value;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

// The next byte chooses among the operations; each is constructed from the bytes behind it.
template <typename... Operations, typename State>
void run_operations(Bytes& bytes, State& state) {
  while (!bytes.are_used_up()) {
    std::size_t chosen = bytes.number<std::uint8_t>() % sizeof...(Operations);
    ((chosen-- == 0 ? Operations(bytes).perform(state) : void()), ...);
  }
}

}  // namespace tarn::fuzz
