// Every heap that can be chosen: geometry × address map × checks × synchronisation.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <tarn/heap.h>

namespace tarn::test {

struct Combination {
  Geometry geometry = Geometry::tarn;
  AddressMap address_map = AddressMap::range;
  Checks checks = Checks::none;
  Synchronisation synchronisation = Synchronisation::caller;
  Release release = Release::on_request;
  bool pools_on_demand = false;
  bool objects_are_linked = false;

  [[nodiscard]] HeapOptions options() const;
  [[nodiscard]] std::string name() const;  // "tarn_range_none_caller"
};

std::ostream& operator<<(std::ostream& stream, const Combination& combination);

[[nodiscard]] std::vector<Combination> all_combinations();
// Those, heaps that give back every page at every opportunity, and heaps with pools on demand: for tests that don't look at states.
[[nodiscard]] std::vector<Combination> all_combinations_and_stress();
// Those without a lock, of which the tests of one thread are content.
[[nodiscard]] std::vector<Combination> combinations_with(Synchronisation synchronisation);
[[nodiscard]] std::vector<Combination> combinations_with(Checks checks);

[[nodiscard]] const char* name_of(Geometry geometry);
[[nodiscard]] const char* name_of(Domain domain);

// The bytes that a debug block takes besides the caller's: header and guard (src/heap/debug_block.h).
inline constexpr std::size_t debug_header = 16;
inline constexpr std::size_t debug_overhead = 24;

// For INSTANTIATE_TEST_SUITE_P.
struct NameOfCombination {
  template <typename Info>
  std::string operator()(const Info& info) const {
    return info.param.name();
  }
};

inline constexpr Domain all_domains[] = {Domain::raw, Domain::mem, Domain::obj};

}  // namespace tarn::test
