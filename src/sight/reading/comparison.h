// What grew between two snapshots. Pure; each side is summed up by itself, so only one heap is in memory at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sight/reading/heap_image.h"

namespace tarn::sight::reading {

struct Amount {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};

// One snapshot, by what can be recognised in another.
struct Summary {
  FactsRow facts;
  std::uint64_t sites_rate =
      0;  // one block in so many bytes has a site; 1: all; 0: none was recorded
  std::vector<LedgerRow> ledger;
  std::map<std::string, Amount> types;    // blocks of objects, and bytes with their parts
  std::map<std::string, Amount> sites;    // "app.py:88 in login"; of samples estimated
  std::map<std::string, Amount> classes;  // "small 64", "large"; allocated blocks
  std::map<std::string, Amount>
      pins;  // "app.Session, held by app.SESSIONS": objects; bytes only they keep resident
};

// Takes the image's references away.
[[nodiscard]] Summary sum_up(HeapImage& image);

struct Change {
  std::string name;
  Amount before;
  Amount after;

  [[nodiscard]] std::int64_t bytes() const {
    return static_cast<std::int64_t>(after.bytes) - static_cast<std::int64_t>(before.bytes);
  }
  [[nodiscard]] std::int64_t objects() const {
    return static_cast<std::int64_t>(after.objects) - static_cast<std::int64_t>(before.objects);
  }
};

struct Comparison {
  std::vector<Change> ledger;  // in the ledger's order, all lines; without objects
  // What changed only, what grew most first and what shrank most last:
  std::vector<Change> types;
  std::vector<Change> sites;  // none unless both sides have them
  std::vector<Change> classes;
  std::vector<Change> pins;
};

[[nodiscard]] Comparison compare(const Summary& before, const Summary& after);

}  // namespace tarn::sight::reading
