// What the parts of the stream's reader share: records out of bytes, checked for their sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "sight/stream_reader.h"

namespace tarn::sight::stream {

inline constexpr std::uint64_t highest_address = std::uint64_t{1} << 57;
inline constexpr std::uint64_t largest_pool = std::uint64_t{1} << 22;

[[noreturn]] inline void refuse(const std::string& what) { throw BadStream(what); }

template <typename Record>
Record read(std::string_view payload, const char* what) {
  if (payload.size() < sizeof(Record)) {
    refuse(std::string("a record of ") + what + " is too short");
  }
  Record record;
  std::memcpy(static_cast<void*>(&record), payload.data(), sizeof(record));
  return record;
}

template <typename Record>
void read_many(std::string_view payload, std::vector<Record>& records, const char* what) {
  if (payload.size() % sizeof(Record) != 0) {
    refuse(std::string("a record of ") + what + " ends in the middle");
  }
  const std::size_t count = payload.size() / sizeof(Record);
  const std::size_t before = records.size();
  records.resize(before + count);
  if (count != 0) {
    std::memcpy(static_cast<void*>(records.data() + before), payload.data(), payload.size());
  }
}

}  // namespace tarn::sight::stream
