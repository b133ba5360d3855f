// Why memory stays, for the page's panel: what `tarn why` says of each snapshot, and which blocks each answer means.
//
//   why.holder, why.type, why.site                       one text: the answers as `tarn why --json` prints them; empty:
//                                                        there are none
//   why.holder.answer, why.type.answer, why.site.answer  a slot's answer, its number + 1; 0: none. Without answers no
//                                                        elements
//   why.problem                                          one text: why there are none; empty: there are
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sight/map/columns.h"
#include "sight/map/slots.h"
#include "sight/map/snapshot_database.h"
#include "sight/reading/heap_image.h"
#include "sight/reading/why.h"

namespace tarn::sight {

// Answers as JSON: the command's (why_text.h), so that the page says the same.
using WhyJson = std::function<std::string(const reading::HeapImage&, const reading::Why&)>;

// So many take a few seconds.
inline constexpr std::uint64_t most_blocks_of_why = 3'000'000;

// Remembers what it worked out, so that a page made anew with one more snapshot asks only of that.
class WhyColumns {
 public:
  // Snapshots that weren't worked out before are so as long as they have no more than `most_blocks` together, and the
  // newest always.
  explicit WhyColumns(WhyJson json, std::uint64_t most_blocks = most_blocks_of_why)
      : json_(std::move(json)), most_blocks_(most_blocks) {}

  // Chooses the newest of the file's snapshots, as many as take no longer than a page's reader waits. Others get a
  // problem that says so. Throws BadSnapshot.
  void choose(const std::string& file, const SnapshotDatabase& database,
              const std::vector<std::int64_t>& ids);

  // Adds the columns of a snapshot; of one that can't be read as `tarn why` reads it, a problem that says so.
  void add_to(Columns& columns, std::int64_t id, const Slots& slots);

 private:
  static constexpr std::size_t groupings = 3;

  struct Answers {
    std::array<std::string, groupings> texts;
    std::array<std::vector<std::uint8_t>, groupings> of_slot;
    std::string problem;
  };

  void find(std::int64_t id, const Slots& slots, Answers& answers) const;

  WhyJson json_;
  std::uint64_t most_blocks_;
  std::string file_;
  std::vector<std::int64_t> chosen_;
  std::map<std::int64_t, Answers> known_;
};

}  // namespace tarn::sight
