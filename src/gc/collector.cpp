#include <tarn/gc.h>

#include <cstdio>

#include "base/assert.h"
#include "gc/collector_state.h"

namespace tarn {

using gc::CollectorState;

Collector::Collector(ObjectHeap& heap, const CollectorOptions& options)
    : state_(new CollectorState(heap, options)) {}

Collector::~Collector() {
  if (has(state_->options.debug, CollectorDebug::leaks)) {
    const LeakReport report = state_->find_leaks();
    if (report.objects != 0) {
      std::fputs(report.text().c_str(), stderr);
    }
  }
  delete state_;
}

Collection Collector::collect(Generation generation) noexcept {
  return state_->collect(generation);
}
bool Collector::collect(std::chrono::nanoseconds budget) noexcept {
  return state_->collect(budget);
}
bool Collector::is_under_way() const noexcept { return state_->is_under_way(); }
const Collection& Collector::last() const noexcept { return state_->last(); }

void Collector::freeze() noexcept { state_->freeze(); }
void Collector::unfreeze() noexcept { state_->unfreeze(); }
std::size_t Collector::frozen() const noexcept { return state_->frozen(); }

void Collector::set_automatic(bool on) noexcept { state_->options.automatic = on; }
bool Collector::is_automatic() const noexcept { return state_->options.automatic; }
void Collector::set_thresholds(const CollectorThresholds& thresholds) noexcept {
  state_->rule().set(thresholds);
}
const CollectorThresholds& Collector::thresholds() const noexcept {
  return state_->rule().thresholds();
}
void Collector::set_debug(CollectorDebug flags) noexcept { state_->options.debug = flags; }
CollectorDebug Collector::debug() const noexcept { return state_->options.debug; }
void Collector::collect_at_allocations(std::size_t every) noexcept {
  state_->collect_at_allocations(every);
}

void Collector::call_before(Callback callback) { state_->before.push_back(std::move(callback)); }
void Collector::call_after(Callback callback) { state_->after.push_back(std::move(callback)); }

const CollectorStatistics& Collector::statistics() const noexcept { return state_->statistics; }

void Collector::visit_referrers(const Object& object, VisitObject visit, void* context) const {
  state_->refuse_while_anyone_dies("referrers()");
  state_->finish_slices();  // nobody may get hold of what is about to die
  state_->heap().for_each_object([&](Object& other) {
    if (detail::Access::is_dying(other)) {
      return;
    }
    bool refers = false;
    object::for_each_edge(other, [&](Object& target) { refers = refers || &target == &object; });
    if (refers) {
      visit(context, other);
    }
  });
}

void Collector::visit_referents(const Object& object, VisitObject visit, void* context) {
  object::for_each_edge(object, [&](Object& target) { visit(context, target); });
}

std::vector<Ref<Object>> Collector::referrers(const Object& object) const {
  std::vector<Ref<Object>> all;
  for_each_referrer(object, [&](Object& other) { all.emplace_back(share, &other); });
  return all;
}

std::vector<Ref<Object>> Collector::referents(const Object& object) const {
  std::vector<Ref<Object>> all;
  for_each_referent(object, [&](Object& other) { all.emplace_back(share, &other); });
  return all;
}

void Collector::visit_saved(VisitObject visit, void* context) const {
  state_->visit_saved(visit, context);
}
void Collector::drop_saved() noexcept { state_->drop_saved(); }
LeakReport Collector::find_leaks() { return state_->find_leaks(); }
void Collector::verify() const { state_->verify(); }

}  // namespace tarn
