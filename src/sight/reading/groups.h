// Blocks by the way on which they are held: a tree of groups, and what of memory each pins.
//
//   app.SESSIONS             a name
//   └─ dict                  what it holds, by type
//      └─ app.Session        312 blocks: one group
//         └─ str
//
// A group's pages are those that have a block of its subtree in them. Those that hold nothing else are what freeing
// it returns: each page is counted at the lowest group that has all of its blocks below.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sight/reading/heap_image.h"
#include "sight/reading/holding.h"
#include "sight/reading/kinds.h"

namespace tarn::sight::reading {

enum class GroupBy : std::uint8_t { holder, type, site };

// The upper end of a way.
struct Top {
  std::string kind;  // a root's; "spare", "none"
  std::string name;
  std::uint32_t frame = no_index;
  bool is_shared = false;  // it isn't the only one that holds the blocks

  bool operator==(const Top&) const = default;
};

struct Group {
  std::uint32_t parent = 0;
  std::uint32_t top = no_index;
  std::uint32_t label =
      no_index;  // a type's index, or a place's; no_index: unknown, or a top's own group
  std::uint32_t depth = 0;
  TypeKind kind = TypeKind::plain;  // its label's
  std::uint64_t objects =
      0;  // its own, not those of the groups below; and blocks that aren't parts of one
  std::uint64_t bytes = 0;    // its own
  std::uint64_t pages = 0;    // bytes of extents with a block of it or of one below
  std::uint64_t returns = 0;  // bytes of extents with no other block
};

struct Groups {
  std::vector<Top> tops;
  std::vector<Group> groups;            // parents first; 0 is the whole heap
  std::vector<std::uint32_t> of_block;  // group of each block
  std::vector<std::uint64_t>
      by_label;  // bytes of extents whose blocks all have the label above them, or their own
};

// `by` says what labels are: types, or places. Deeper ways than most_depth, and further groups than most_groups, are
// put together with what's above them: then less is counted, never more.
[[nodiscard]] Groups make_groups(const HeapImage& image, const Holding& holding, GroupBy by);

struct Speaker {
  std::uint32_t group = 0;      // what a program would let go of
  std::uint32_t spokesman = 0;  // what that is known by: the same, or one below
};

// For each name, the group that a program would let go of: down past single objects and containers to the first objects
// of somebody's own class, else to the first that are many, as long as half of what is above returns with them. Where
// what's below lies in the same pages, that's the containers, and what makes up half of their content speaks for them.
// What returns most comes first; what returns nothing isn't there. By holder.
[[nodiscard]] std::vector<Speaker> speaking_groups(const Groups& groups);

}  // namespace tarn::sight::reading
