// What tests need to know of a collector, and nobody else.
#pragma once

#include <cstddef>

#include <tarn/gc.h>

#include "gc/collector_state.h"

namespace tarn {

struct CollectorTestAccess {
  static void limit_stack(Collector& collector, std::size_t entries) {
    collector.state_->stack().limit(entries);
  }
};

}  // namespace tarn
