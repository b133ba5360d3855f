#include "integrations/python/snapshot_stream.h"

#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::python {

constinit SnapshotStream snapshot_stream;

void end_snapshot(int status) noexcept { ::_exit(status); }

void* snapshot_memory(std::size_t size) noexcept {
  void* const memory = os::map(base::round_up(size + 1, os::page_size()), os::page_size());
  if (memory == nullptr) {
    end_snapshot(snapshot_no_memory);
  }
  return memory;
}

void SnapshotStream::open(int descriptor) noexcept {
  descriptor_ = descriptor;
  put(sight::stream_magic, sizeof(sight::stream_magic));
}

void SnapshotStream::write_out() noexcept {
  std::size_t written = 0;
  while (written < filled_) {
    const ssize_t count = ::write(descriptor_, bytes_ + written, filled_ - written);
    if (count > 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      pollfd wanted = {descriptor_, POLLOUT, 0};
      ::poll(&wanted, 1, -1);
    } else if (errno != EINTR) {
      end_snapshot(snapshot_unwanted);
    }
  }
  filled_ = 0;
}

void SnapshotStream::put(const void* bytes, std::size_t size) noexcept {
  const auto* from = static_cast<const unsigned char*>(bytes);
  while (size != 0) {
    if (filled_ == sizeof(bytes_)) {
      write_out();
    }
    const std::size_t room = sizeof(bytes_) - filled_;
    const std::size_t part = size < room ? size : room;
    std::memcpy(bytes_ + filled_, from, part);
    filled_ += part;
    from += part;
    size -= part;
  }
}

void SnapshotStream::record(sight::RecordKind kind, const void* head, std::size_t head_size,
                            const void* more, std::size_t more_size, const void* most,
                            std::size_t most_size) noexcept {
  const sight::RecordHead record = {kind,
                                    static_cast<std::uint32_t>(head_size + more_size + most_size)};
  put(&record, sizeof(record));
  put(head, head_size);
  put(more, more_size);
  put(most, most_size);
}

// A text that has no end is no text of ours: it's cut.
void SnapshotStream::named(sight::RecordKind kind, const void* head, std::size_t head_size,
                           const char* text, const char* text_behind) noexcept {
  constexpr std::size_t longest = 1024;
  const std::size_t length = ::strnlen(text, longest);
  if (text_behind == nullptr) {
    record(kind, head, head_size, text, length);
    return;
  }
  char both[2 * longest + 1];
  const std::size_t length_behind = ::strnlen(text_behind, longest);
  std::memcpy(both, text, length);
  both[length] = '\0';
  std::memcpy(both + length + 1, text_behind, length_behind);
  record(kind, head, head_size, both, length + 1 + length_behind);
}

void SnapshotStream::object(const sight::ObjectRecord& object) noexcept {
  object_[objects_++] = object;
  if (objects_ == most_objects) {
    flush_objects();
  }
}

void SnapshotStream::flush_objects() noexcept {
  if (objects_ != 0) {
    record(sight::RecordKind::objects, object_, objects_ * sizeof(object_[0]));
    objects_ = 0;
  }
}

void SnapshotStream::begin_references(std::uint64_t source) noexcept {
  if (words_ + 3 > most_words) {
    flush_references();
  }
  source_ = words_;
  word_[words_] = source;
  words_ += 2;  // and the count
}

void SnapshotStream::reference(std::uint64_t target) noexcept {
  if (words_ == most_words) {
    const std::uint64_t source = word_[source_];
    end_references();
    flush_references();
    begin_references(source);
  }
  word_[words_++] = target;
}

void SnapshotStream::end_references() noexcept {
  const std::size_t count = words_ - source_ - 2;
  word_[source_ + 1] = count;
  if (count == 0) {
    words_ = source_;
  }
}

void SnapshotStream::flush_references() noexcept {
  if (words_ != 0) {
    record(sight::RecordKind::references, word_, words_ * sizeof(word_[0]));
    words_ = 0;
  }
}

void SnapshotStream::part(std::uint64_t source, std::uint64_t target) noexcept {
  part_[parts_++] = source;
  part_[parts_++] = target;
  if (parts_ == most_words) {
    flush_parts();
  }
}

void SnapshotStream::flush_parts() noexcept {
  if (parts_ != 0) {
    record(sight::RecordKind::parts, part_, parts_ * sizeof(part_[0]));
    parts_ = 0;
  }
}

void SnapshotStream::flush() noexcept {
  flush_objects();
  flush_references();
  flush_parts();
  write_out();
}

}  // namespace tarn::python
