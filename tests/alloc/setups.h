// The combinations of geometry and address map, for typed tests.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "alloc/geometry.h"
#include "alloc/page_map.h"
#include "alloc/reserved_range.h"
#include "support/combinations.h"

namespace tarn::test {

template <typename Geometry_, template <typename> typename Map_>
struct Setup {
  using Geometry = Geometry_;
  using Map = Map_<Geometry_>;
};

using Setups = testing::Types<Setup<alloc::TarnGeometry, alloc::ReservedRange>,
                              Setup<alloc::TarnGeometry, alloc::PageMap>,
                              Setup<alloc::ClassicGeometry, alloc::ReservedRange>,
                              Setup<alloc::ClassicGeometry, alloc::PageMap>,
                              Setup<alloc::ModernGeometry, alloc::ReservedRange>,
                              Setup<alloc::ModernGeometry, alloc::PageMap>>;

struct NameOfSetup {
  template <typename One>
  static std::string GetName(int) {  // NOLINT(readability-identifier-naming): GoogleTest's name
    return std::string(name_of(One::Geometry::name)) +
           (One::Map::kind == AddressMap::range ? "_range" : "_page_map");
  }
};

// Addresses enough for every test, and little enough for a sanitizer.
inline constexpr std::size_t reserved_bytes = std::size_t{1} << 30;

}  // namespace tarn::test
