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
  // More than so many objects that wait to be looked at are many.
  static void mark_in_order_beyond(Collector& collector, std::size_t objects) {
    collector.state_->mark_in_order_beyond(objects);
  }
};

}  // namespace tarn
