// Reads a snapshot's stream. Who wrote it may be anything, so it's hostile until it has been checked here: kinds, sizes,
// counts, addresses; pools lie in arenas and blocks in pools, nothing overlaps, texts are UTF-8 without controls.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sight/capture.h"

namespace tarn::sight {

// Printable, and one line.
class BadStream : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class StreamReader {
 public:
  // Bytes as they come, in parts of any size. Throws BadStream.
  void take(std::string_view bytes);

  // Whether the last record is there.
  [[nodiscard]] bool is_complete() const { return has_end_; }

  // Once, when it's complete. Throws BadStream.
  [[nodiscard]] Capture finish();

 private:
  void take_record(RecordKind kind, std::string_view payload);
  void take_arena(std::string_view payload);
  void take_pool(std::string_view payload);
  void take_usable(std::string_view payload);
  void take_large(std::string_view payload);
  void take_objects(std::string_view payload);
  void take_references(std::string_view payload);
  void take_named(RecordKind kind, std::string_view payload);
  void take_sampling(std::string_view payload);
  void take_line(std::string_view payload);
  void take_site(std::string_view payload);
  void take_recorded(std::string_view payload);
  void take_value(std::string_view payload);
  void place_areas();
  void place_blocks_of(Pool& pool, std::string_view marks);
  void place_objects();
  void place_recorded();
  void place_values();
  void resolve();

  std::string pending_;
  bool has_magic_ = false;
  bool has_facts_ = false;
  bool has_end_ = false;
  Capture capture_;
  std::vector<ObjectRecord> objects_;
  std::vector<std::uint64_t> reference_words_;
  std::vector<std::uint64_t> part_words_;
  std::vector<RootRecord> root_records_;
  std::vector<RecordedRecord> recorded_;
  std::vector<std::uint64_t> value_blocks_;  // of Capture::values
  std::string marks_;                        // of all pools, in the order in which they came
  std::vector<std::uint16_t> chains_;
  struct PoolPayload {
    std::size_t marks = 0;
    std::size_t chain = 0;
  };
  std::vector<PoolPayload>
      payloads_;  // by the order in which they came: Pool::first_slot until they're placed
  std::vector<std::vector<std::uint64_t>> usable_;
};

}  // namespace tarn::sight
