#include "sites/site_table.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::sites {

namespace {

constexpr std::uint64_t multiplier = 0x9e3779b97f4a7c15U;

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * multiplier;
  return hash ^ (hash >> 29);
}

std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = text.size();
  std::uint64_t word = 0;
  std::size_t at = 0;
  for (; at + sizeof(word) <= text.size(); at += sizeof(word)) {
    std::memcpy(&word, text.data() + at, sizeof(word));
    hash = mix(hash, word);
  }
  word = 0;
  if (at != text.size()) {
    std::memcpy(&word, text.data() + at, text.size() - at);
  }
  return mix(mix(hash, word), 0);
}

// A place for so many, behind those before.
template <typename Thing>
void place(std::byte*& next, Thing*& things, std::size_t count) noexcept {
  things = reinterpret_cast<Thing*>(next);
  next += base::round_up(count * sizeof(Thing), 64);
}

}  // namespace

std::size_t SiteTable::mapped_bytes() noexcept {
  const std::size_t bytes =
      most_sites * sizeof(Site) + most_frames * sizeof(Frame) + most_strings * sizeof(String) +
      (most_stack_frames + 2 * most_sites + 2 * most_frames + 2 * most_strings) *
          sizeof(std::uint32_t) +
      most_bytes;
  return base::round_up(bytes, os::page_size());
}

bool SiteTable::open() noexcept {
  memory_ = static_cast<std::byte*>(os::map(mapped_bytes(), os::page_size()));
  if (memory_ == nullptr) {
    return false;
  }
  std::byte* next = memory_;
  place(next, sites_, most_sites);
  place(next, frames_, most_frames);
  place(next, strings_, most_strings);
  place(next, stacks_, most_stack_frames);
  place(next, site_index_.numbers, Index<most_sites>::slots);
  place(next, frame_index_.numbers, Index<most_frames>::slots);
  place(next, string_index_.numbers, Index<most_strings>::slots);
  place(next, bytes_, most_bytes);
  site_count_ = 2;  // native and other, which no index knows
  return true;
}

void SiteTable::close() noexcept {
  if (memory_ != nullptr) {
    os::release(memory_, mapped_bytes());
    memory_ = nullptr;
  }
}

std::uint32_t SiteTable::intern(std::string_view text) noexcept {
  // Not substr, nor copy below: where they aren't inlined they ask for the C++ library, which throws.
  text.remove_suffix(text.size() - std::min(text.size(), most_string_bytes));
  const std::uint64_t hash = hash_of(text);
  std::uint32_t& slot = string_index_.find(hash, [&](std::uint32_t number) {
    return strings_[number].hash == hash && string(number) == text;
  });
  if (slot == 0) {
    if (string_count_ == most_strings || most_bytes - byte_count_ < text.size()) {
      return none;
    }
    std::copy(text.begin(), text.end(), bytes_ + byte_count_);
    strings_[string_count_] = {hash, byte_count_, static_cast<std::uint32_t>(text.size())};
    byte_count_ += static_cast<std::uint32_t>(text.size());
    slot = ++string_count_;
  }
  return slot - 1;
}

std::uint32_t SiteTable::intern(const Frame& frame) noexcept {
  const std::uint64_t hash =
      mix(mix(0, (std::uint64_t{frame.function} << 32) | frame.file), frame.line);
  std::uint32_t& slot =
      frame_index_.find(hash, [&](std::uint32_t number) { return frames_[number] == frame; });
  if (slot == 0) {
    if (frame_count_ == most_frames) {
      return none;
    }
    frames_[frame_count_] = frame;
    slot = ++frame_count_;
  }
  return slot - 1;
}

void SiteTable::begin_stack(std::size_t most_frames_wanted) noexcept {
  most_depth_now_ = most_frames_wanted < most_depth ? most_frames_wanted : most_depth;
  depth_ = 0;
  is_cut_ = false;
  has_no_room_ = false;
}

bool SiteTable::add_frame(std::string_view function, std::string_view file,
                          std::uint32_t line) noexcept {
  if (depth_ == most_depth_now_) {
    is_cut_ = true;
    return false;
  }
  const Frame frame = {intern(function), intern(file), line};
  const std::uint32_t number = frame.function == none || frame.file == none ? none : intern(frame);
  if (number == none) {
    has_no_room_ = true;
    return false;
  }
  stack_[depth_++] = number;
  return true;
}

std::uint32_t SiteTable::end_stack() noexcept {
  if (has_no_room_) {
    return other;
  }
  if (depth_ == 0) {
    return native;
  }
  std::uint64_t hash = is_cut_ ? 1 : 0;
  for (std::size_t i = 0; i < depth_; ++i) {
    hash = mix(hash, stack_[i]);
  }
  const std::size_t size = depth_ * sizeof(stack_[0]);
  std::uint32_t& slot = site_index_.find(hash, [&](std::uint32_t number) {
    const Site& there = sites_[number];
    return there.hash == hash && there.depth == depth_ && there.is_cut == is_cut_ &&
           std::memcmp(stacks_ + there.first, stack_, size) == 0;
  });
  if (slot == 0) {
    if (site_count_ == most_sites || most_stack_frames - stack_frame_count_ < depth_) {
      return other;
    }
    Site& site = sites_[site_count_];
    site.hash = hash;
    site.first = stack_frame_count_;
    site.depth = static_cast<std::uint16_t>(depth_);
    site.is_cut = is_cut_;
    std::memcpy(stacks_ + stack_frame_count_, stack_, size);
    stack_frame_count_ += static_cast<std::uint32_t>(depth_);
    slot = ++site_count_;
  }
  return slot - 1;
}

void SiteTable::verify() const noexcept {
  for (std::uint32_t number = 0; number < site_count_; ++number) {
    const Site& there = sites_[number];
    TARN_CHECK(there.first + there.depth, <=, stack_frame_count_, "a site's stack was added");
    TARN_CHECK(there.depth != 0, ==, number > other, "every site but two has a stack");
    for (std::size_t i = 0; i < there.depth; ++i) {
      const Frame& line = frames_[frame_number(there, i)];
      TARN_CHECK(frame_number(there, i), <, frame_count_, "a site's frame was added");
      TARN_CHECK(line.function, <, string_count_, "a function's name was added");
      TARN_CHECK(line.file, <, string_count_, "a file's name was added");
    }
  }
}

}  // namespace tarn::sites
