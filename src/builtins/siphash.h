// SipHash-1-3 (Aumasson and Bernstein), as CPython has hashed str and bytes since 3.11: a stream of little-endian bytes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tarn::builtins {

class SipHash13 {
 public:
  explicit SipHash13(const std::array<std::uint64_t, 2>& key) noexcept
      : v0_(0x736F6D6570736575U ^ key[0]),
        v1_(0x646F72616E646F6DU ^ key[1]),
        v2_(0x6C7967656E657261U ^ key[0]),
        v3_(0x7465646279746573U ^ key[1]) {}

  void add(const char* bytes, std::size_t count) noexcept {
    if (length_ % 8 == 0) {
      for (; count >= 8; count -= 8, bytes += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, 8);
        compress(word);
        length_ += 8;
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      add_byte(static_cast<std::uint8_t>(bytes[i]));
    }
  }
  void add_byte(std::uint8_t byte) noexcept {
    pending_ |= std::uint64_t{byte} << (8 * (length_ % 8));
    if (++length_ % 8 == 0) {
      compress(pending_);
      pending_ = 0;
    }
  }
  [[nodiscard]] std::uint64_t finish() noexcept {
    compress(pending_ | (std::uint64_t{length_} << 56));
    v2_ ^= 0xFF;
    round();
    round();
    round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void compress(std::uint64_t word) noexcept {
    v3_ ^= word;
    round();
    v0_ ^= word;
  }
  void round() noexcept {
    v0_ += v1_;
    v2_ += v3_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v1_;
    v0_ += v3_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_;
  std::uint64_t v1_;
  std::uint64_t v2_;
  std::uint64_t v3_;
  std::uint64_t pending_ = 0;
  std::size_t length_ = 0;
};
static_assert(std::endian::native == std::endian::little, "words are read as they lie");

}  // namespace tarn::builtins
