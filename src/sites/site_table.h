// Allocation sites: stacks of Python lines, each kept once, with what was allocated there.
//
//   site ──► a run of frame numbers, the innermost first ──► frame: function, file, line ──► strings
//
// Strings are copied when first seen: what they belong to may die, and its address be another's. Nothing is ever
// removed, so a number once given stays what it is. All of it lies in one mapping of `mapped_bytes`, of which
// what is unused costs nothing; when a part is full, the stack becomes `other`, which is said in reports.
//
// Not synchronised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tarn::sites {

struct Frame {
  std::uint32_t function;  // of strings
  std::uint32_t file;
  std::uint32_t line;

  friend bool operator==(const Frame&, const Frame&) = default;
};

struct Site {
  // Estimates, by the weights of what was recorded.
  double allocated_bytes;   // handed out, or grown by
  double allocated_blocks;  // handed out
  std::uint64_t samples;
  std::uint64_t hash;
  std::uint32_t first;  // of the frame numbers
  std::uint16_t depth;
  bool is_cut;  // the stack is deeper
};

class SiteTable {
 public:
  // Without a line of Python: started by no thread of Python's, or before Python was up.
  static constexpr std::uint32_t native = 0;
  // There was no room for its stack.
  static constexpr std::uint32_t other = 1;

  static constexpr std::size_t most_depth = 256;
  static constexpr std::size_t most_string_bytes = 1024;  // longer ones are cut

  constexpr SiteTable() noexcept = default;
  SiteTable(const SiteTable&) = delete;
  SiteTable& operator=(const SiteTable&) = delete;

  // False: the system grants no addresses.
  [[nodiscard]] bool open() noexcept;
  void close() noexcept;
  [[nodiscard]] static std::size_t mapped_bytes() noexcept;

  // One stack at a time: begin, its frames from the innermost on, end.
  void begin_stack(std::size_t most_frames) noexcept;
  // False: it's deep enough. What is cut of a string is so at the end.
  bool add_frame(std::string_view function, std::string_view file, std::uint32_t line) noexcept;
  [[nodiscard]] std::uint32_t end_stack() noexcept;

  [[nodiscard]] Site& site(std::uint32_t number) noexcept { return sites_[number]; }
  [[nodiscard]] const Site& site(std::uint32_t number) const noexcept { return sites_[number]; }
  [[nodiscard]] std::uint32_t frame_number(const Site& site, std::size_t position) const noexcept {
    return stacks_[site.first + position];
  }
  [[nodiscard]] const Frame& frame(std::uint32_t number) const noexcept { return frames_[number]; }
  [[nodiscard]] std::string_view string(std::uint32_t number) const noexcept {
    return {bytes_ + strings_[number].first, strings_[number].length};
  }
  [[nodiscard]] std::uint32_t site_count() const noexcept { return site_count_; }
  [[nodiscard]] std::uint32_t frame_count() const noexcept { return frame_count_; }
  [[nodiscard]] std::uint32_t string_count() const noexcept { return string_count_; }

  void verify() const noexcept;

 private:
  static constexpr std::uint32_t most_sites = 64 * 1024;
  static constexpr std::uint32_t most_frames = 128 * 1024;
  static constexpr std::uint32_t most_strings = 64 * 1024;
  static constexpr std::uint32_t most_stack_frames = 1024 * 1024;
  static constexpr std::uint32_t most_bytes = 8 * 1024 * 1024;
  static constexpr std::uint32_t none = 0xffffffff;

  struct String {
    std::uint64_t hash;
    std::uint32_t first;
    std::uint32_t length;
  };

  // Numbers by hash, open addressing: zero is empty, else the number and one. Twice as many slots as numbers.
  template <std::uint32_t Most>
  struct Index {
    static constexpr std::uint32_t slots = 2 * Most;
    std::uint32_t* numbers;
    // The slot of what `is` says yes to, or the one where it would go.
    template <typename Is>
    [[nodiscard]] std::uint32_t& find(std::uint64_t hash, Is is) const noexcept {
      std::uint32_t slot = static_cast<std::uint32_t>(hash >> 17) % slots;
      while (numbers[slot] != 0 && !is(numbers[slot] - 1)) {
        slot = (slot + 1) % slots;
      }
      return numbers[slot];
    }
  };

  [[nodiscard]] std::uint32_t intern(std::string_view text) noexcept;
  [[nodiscard]] std::uint32_t intern(const Frame& frame) noexcept;

  std::byte* memory_ = nullptr;
  Site* sites_ = nullptr;
  Frame* frames_ = nullptr;
  String* strings_ = nullptr;
  std::uint32_t* stacks_ = nullptr;
  char* bytes_ = nullptr;
  Index<most_sites> site_index_ = {};
  Index<most_frames> frame_index_ = {};
  Index<most_strings> string_index_ = {};

  std::uint32_t site_count_ = 0;
  std::uint32_t frame_count_ = 0;
  std::uint32_t string_count_ = 0;
  std::uint32_t stack_frame_count_ = 0;
  std::uint32_t byte_count_ = 0;

  // The stack that is being added.
  std::uint32_t stack_[most_depth] = {};
  std::size_t most_depth_now_ = 0;
  std::size_t depth_ = 0;
  bool is_cut_ = false;
  bool has_no_room_ = false;
};

}  // namespace tarn::sites
