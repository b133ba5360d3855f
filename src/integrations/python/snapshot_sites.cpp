#include "integrations/python/snapshot_sites.h"

#include <algorithm>
#include <new>
#include <string_view>

#include "integrations/python/sites.h"
#include "integrations/python/snapshot_stream.h"
#include "sites/recorder.h"

namespace tarn::python {

namespace {

using sites::RecordedBlocks;
using sites::Recorder;
using sites::SiteTable;

// Only what a live block leads to is written: a long life leaves many sites behind.
class SitesWriter {
 public:
  SitesWriter(const Recorder& recorder, const SnapshotBlocks& blocks) noexcept
      : recorder_(recorder),
        table_(recorder.table()),
        blocks_(blocks),
        is_used_(snapshot_array<bool>(table_.site_count())),
        line_of_(snapshot_array<std::uint32_t>(table_.frame_count())) {}

  void write() noexcept {
    const sight::SamplingRecord sampling = {recorder_.rate()};
    snapshot_stream.record(sight::RecordKind::sampling, &sampling, sizeof(sampling));
    recorder_.blocks().for_each([this](const RecordedBlocks::Entry& entry) {
      if (blocks_.find(entry.address).area != nullptr) {
        is_used_[entry.site] = true;
      }
    });
    for (std::uint32_t number = 0; number < table_.site_count(); ++number) {
      if (is_used_[number]) {
        write_site(number);
      }
    }
    recorder_.blocks().for_each([this](const RecordedBlocks::Entry& entry) { write_block(entry); });
    flush_blocks();
  }

 private:
  void write_site(std::uint32_t number) noexcept {
    const sites::Site& site = table_.site(number);
    std::uint32_t stack[SiteTable::most_depth];
    for (std::size_t i = 0; i < site.depth; ++i) {
      const std::uint32_t frame = table_.frame_number(site, i);
      if (line_of_[frame] == 0) {
        write_line(table_.frame(frame));
        line_of_[frame] = ++lines_;
      }
      stack[i] = line_of_[frame] - 1;
    }
    const sight::SiteRecord record = {.id = number, .lines = site.depth};
    snapshot_stream.record(sight::RecordKind::site, &record, sizeof(record), stack,
                           site.depth * sizeof(stack[0]));
  }

  void write_line(const sites::Frame& frame) noexcept {
    const sight::LineRecord record = {.line = frame.line, .reserved = 0};
    const std::string_view function = table_.string(frame.function);
    const std::string_view file = table_.string(frame.file);
    char both[2 * SiteTable::most_string_bytes + 1];
    char* const behind = std::copy(function.begin(), function.end(), both);
    *behind = '\0';
    const char* const end = std::copy(file.begin(), file.end(), behind + 1);
    snapshot_stream.record(sight::RecordKind::line, &record, sizeof(record), both,
                           static_cast<std::size_t>(end - both));
  }

  void write_block(const RecordedBlocks::Entry& entry) noexcept {
    // What the program was given may lie behind a header of the debug heap's.
    const SnapshotBlocks::Found block = blocks_.find(entry.address);
    if (block.area == nullptr) {  // the C library's
      return;
    }
    recorded_[count_++] = {
        .block = block.address, .counted = entry.counted, .site = entry.site, .reserved = 0};
    if (count_ == most_blocks) {
      flush_blocks();
    }
  }

  void flush_blocks() noexcept {
    snapshot_stream.record(sight::RecordKind::recorded, recorded_, count_ * sizeof(recorded_[0]));
    count_ = 0;
  }

  static constexpr std::size_t most_blocks = 1024;

  const Recorder& recorder_;
  const SiteTable& table_;
  const SnapshotBlocks& blocks_;
  bool* is_used_;           // by a site's number
  std::uint32_t* line_of_;  // by a frame's number: its line's in the stream, and one
  std::uint32_t lines_ = 0;
  std::size_t count_ = 0;
  sight::RecordedRecord recorded_[most_blocks] = {};
};

}  // namespace

void write_recorded_sites(const SnapshotBlocks& blocks) noexcept {
  // The copy was made while nobody held the recorder's mutex, and it has one thread: nothing changes meanwhile.
  if (const Recorder* const recorder = site_recorder()) {
    auto* const writer =
        new (snapshot_memory(sizeof(SitesWriter))) SitesWriter(*recorder, blocks);  // large
    writer->write();
  }
}

}  // namespace tarn::python
