// Why a process's memory can't go back: which objects keep it, who holds them, and what comes back when they go.
//
// What an answer promises is counted, not estimated: its objects are taken out of the graph of references, what can't
// be reached any more is what goes with them, and each page (and large block) all of whose blocks go is returned.
// Without references in the file there are two such figures, at least and at most (holding.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sight/reading/groups.h"
#include "sight/reading/heap_image.h"
#include "sight/reading/holding.h"

namespace tarn::sight::reading {

struct TypeShare {
  std::string type;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;  // with their parts
};

// What one place allocated (places.h). Of samples, objects and bytes are estimates: each stands for many.
struct SiteShare {
  std::vector<FrameRow>
      frames;  // the most frequent stack of it, the innermost first; empty: no line of Python
  std::uint32_t own = no_index;  // which of these is the program's own, if the first is a library's
  bool has_no_room = false;      // it isn't known where: the recorder's tables were full
  double objects = 0;
  double bytes = 0;  // with those of parts
  std::uint64_t samples = 0;
};

// Of some blocks. Of what wasn't recorded nothing is known.
struct Sites {
  std::vector<SiteShare> shares;  // five at most, what stands for the most objects (or bytes) first
  double objects = 0;             // of all shares, those left out too
  double bytes = 0;
  std::uint64_t samples = 0;
};

struct HolderShare {
  std::string name;  // "app.SESSIONS", "cache in serve (app.py:88)"
  std::string kind;  // a root's
  std::uint64_t objects = 0;
};

struct Returns {
  std::uint64_t least = 0;
  std::uint64_t most = 0;  // the same, where references are known
};

struct Answer {
  std::string
      type;  // of its objects: "app.Session"; if they are of several, what they are best known by
  std::uint64_t objects = 0;  // blocks that aren't parts
  std::uint64_t of_type = 0;  // objects of that type
  std::uint64_t bytes = 0;    // with their parts
  // What they are in and are let go of with, if their pages are its other content's too: "dict", 1. Else empty.
  std::string container;
  std::uint64_t containers = 0;
  std::uint64_t first = 0;  // address of the first one's block
  Returns returns;
  std::uint64_t pages = 0;  // resident bytes of pages and large blocks that have in them what goes
  std::uint64_t freed_bytes = 0;     // of all blocks that go (at least)
  std::vector<TypeShare> freed;      // the most bytes first
  std::vector<HolderShare> holders;  // roots, the one of the most objects first
  std::vector<std::string> chain;    // from the first of these down: "dict", "app.Session"
  std::vector<HolderShare> shared;   // if others hold them too: names of other ways to them
  bool is_shared = false;
  // What the name holds is one object, and they are in it: what comes back if that goes (a dict with its table, and
  // the keys). 0: it isn't so.
  std::string whole_type;
  Returns whole;
  Sites sites;        // of the objects
  Sites freed_sites;  // of all that goes with them (at least), by bytes
};

struct Why {
  GroupBy by = GroupBy::holder;
  bool is_exact = false;
  std::uint64_t live = 0;    // resident bytes of allocated blocks in pools
  std::uint64_t pinned = 0;  // the rest of pages with an allocated block
  std::uint64_t empty = 0;   // pages without: they go by `tarn release`
  std::uint64_t large = 0;
  std::vector<Answer> answers;  // by what they return, the most first
  Returns together;             // if all of these go
  bool has_more = false;
};

struct WhyOptions {
  GroupBy by = GroupBy::holder;
  std::size_t most_answers = 10;
};

// Takes the image's references away. A second or two for a million blocks, and then about a tenth for each answer.
[[nodiscard]] Why find_why(HeapImage& image, const WhyOptions& options);

// "app.SESSIONS", "cache in serve (app.py:88)", "sys.modules", "C code" …
[[nodiscard]] std::string root_text(const HeapImage& image, const Top& top);

}  // namespace tarn::sight::reading
