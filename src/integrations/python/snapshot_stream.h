// Records on their way to a descriptor, in the child that takes a snapshot. Nothing is allocated but by mapping;
// when the reader has gone, or there is no memory, the child ends: it has nothing else to do.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sight/stream_format.h"

namespace tarn::python {

// Exit statuses of the child.
inline constexpr int snapshot_done = 0;
inline constexpr int snapshot_unwanted = 3;  // nobody reads
inline constexpr int snapshot_no_memory = 4;

class SnapshotStream {
 public:
  void open(int descriptor) noexcept;

  void record(sight::RecordKind kind, const void* head, std::size_t head_size,
              const void* more = nullptr, std::size_t more_size = 0, const void* most = nullptr,
              std::size_t most_size = 0) noexcept;
  template <typename Head>
  void record(sight::RecordKind kind, const Head& head, const char* text = "",
              const char* text_behind = nullptr) noexcept {
    named(kind, &head, sizeof(head), text, text_behind);
  }

  void object(const sight::ObjectRecord& object) noexcept;

  // The references of one object, in between.
  void begin_references(std::uint64_t source) noexcept;
  void reference(std::uint64_t target) noexcept;
  void end_references() noexcept;

  void part(std::uint64_t source, std::uint64_t target) noexcept;

  // What is still collected goes out.
  void flush() noexcept;

 private:
  static constexpr std::size_t most_objects = 2048;
  static constexpr std::size_t most_words = 8192;

  void named(sight::RecordKind kind, const void* head, std::size_t head_size, const char* text,
             const char* text_behind) noexcept;
  void put(const void* bytes, std::size_t size) noexcept;
  void write_out() noexcept;
  void flush_objects() noexcept;
  void flush_references() noexcept;
  void flush_parts() noexcept;

  int descriptor_ = 0;  // of open(); zero, so that the library's file doesn't hold all of this
  std::size_t filled_ = 0;
  std::size_t objects_ = 0;
  std::size_t words_ = 0;
  std::size_t source_ = 0;  // where the present source's words begin
  std::size_t parts_ = 0;
  unsigned char bytes_[std::size_t{128} * 1024] = {};
  sight::ObjectRecord object_[most_objects] = {};
  std::uint64_t word_[most_words] = {};
  std::uint64_t part_[most_words] = {};
};

// The child's one.
extern constinit SnapshotStream snapshot_stream;

[[noreturn]] void end_snapshot(int status) noexcept;

// Zero bytes, for the child's life.
[[nodiscard]] void* snapshot_memory(std::size_t size) noexcept;
template <typename Element>
[[nodiscard]] Element* snapshot_array(std::size_t count) noexcept {
  return static_cast<Element*>(snapshot_memory(count * sizeof(Element)));
}

}  // namespace tarn::python
