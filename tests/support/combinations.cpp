#include "support/combinations.h"

#include <algorithm>

namespace tarn::test {

HeapOptions Combination::options() const {
  HeapOptions options;
  options.geometry = geometry;
  options.address_map = address_map;
  options.checks = checks;
  options.synchronisation = synchronisation;
  options.release = release;
  options.pools_on_demand = pools_on_demand;
  options.objects_are_linked = objects_are_linked;
  return options;
}

const char* name_of(Geometry geometry) {
  switch (geometry) {
    case Geometry::classic:
      return "classic";
    case Geometry::modern:
      return "modern";
    case Geometry::tarn:
      break;
  }
  return "tarn";
}

const char* name_of(Domain domain) {
  constexpr const char* names[] = {"raw", "mem", "obj"};
  return names[static_cast<std::size_t>(domain)];
}

std::string Combination::name() const {
  std::string text = name_of(geometry);
  text += address_map == AddressMap::range ? "_range" : "_page_map";
  text += checks == Checks::none ? "_none" : "_debug";
  text += synchronisation == Synchronisation::caller ? "_caller" : "_locked";
  text += release == Release::at_once ? "_at_once" : "";
  text += pools_on_demand ? "_on_demand" : "";
  text += objects_are_linked ? "_linked" : "";
  return text;
}

std::ostream& operator<<(std::ostream& stream, const Combination& combination) {
  return stream << combination.name();
}

std::vector<Combination> all_combinations() {
  std::vector<Combination> all;
  for (const Geometry geometry : {Geometry::tarn, Geometry::classic, Geometry::modern}) {
    for (const AddressMap map : {AddressMap::range, AddressMap::page_map}) {
      for (const Checks checks : {Checks::none, Checks::debug}) {
        for (const Synchronisation synchronisation :
             {Synchronisation::caller, Synchronisation::locked}) {
          all.push_back({geometry, map, checks, synchronisation});
        }
      }
    }
  }
  return all;
}

std::vector<Combination> all_combinations_and_stress() {
  std::vector<Combination> all = all_combinations();
  for (Combination one : combinations_with(Checks::none)) {
    one.release = Release::at_once;
    all.push_back(one);
    one.release = Release::on_request;
    one.pools_on_demand = true;
    all.push_back(one);
    // As in a Python process.
    one.objects_are_linked = true;
    all.push_back(one);
    one.release = Release::at_once;
    all.push_back(one);
  }
  for (Combination one : combinations_with(Checks::debug)) {
    one.objects_are_linked = true;
    all.push_back(one);
  }
  return all;
}

std::vector<Combination> combinations_with(Synchronisation synchronisation) {
  std::vector<Combination> all = all_combinations();
  std::erase_if(all,
                [&](const Combination& one) { return one.synchronisation != synchronisation; });
  return all;
}

std::vector<Combination> combinations_with(Checks checks) {
  std::vector<Combination> all = combinations_with(Synchronisation::caller);
  std::erase_if(all, [&](const Combination& one) { return one.checks != checks; });
  return all;
}

}  // namespace tarn::test
