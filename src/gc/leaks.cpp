// A report of the cycles that nobody collected.
#include <algorithm>
#include <map>
#include <unordered_set>

#include "gc/collector_state.h"

namespace tarn::gc {

namespace {

// Depth first from `start`, along edges to objects for which is_garbage holds; the path ends where it comes back to
// itself. Empty: no cycle is reachable from here. `seen` are those that were looked at.
template <typename IsGarbage>
std::vector<const Object*> cycle_from(const Object& start, std::unordered_set<const Object*>& seen,
                                      IsGarbage is_garbage) {
  struct Step {
    const Object* object;
    std::vector<const Object*> targets;
  };
  std::vector<Step> path;
  std::unordered_set<const Object*> on_path;
  const auto enter = [&](const Object& object) {
    Step step{&object, {}};
    object::for_each_edge(object, [&](Object& target) {
      if (is_garbage(target)) {
        step.targets.push_back(&target);
      }
    });
    seen.insert(&object);
    on_path.insert(&object);
    path.push_back(std::move(step));
  };
  enter(start);
  while (!path.empty()) {
    if (path.back().targets.empty()) {
      on_path.erase(path.back().object);
      path.pop_back();
      continue;
    }
    const Object* const target = path.back().targets.back();
    path.back().targets.pop_back();
    if (on_path.contains(target)) {
      std::vector<const Object*> cycle;
      const auto first = std::find_if(path.begin(), path.end(),
                                      [&](const Step& step) { return step.object == target; });
      for (auto step = first; step != path.end(); ++step) {
        cycle.push_back(step->object);
      }
      return cycle;
    }
    if (!seen.contains(target)) {
      enter(*target);
    }
  }
  return {};
}

}  // namespace

LeakReport CollectorState::find_leaks() {
  LeakReport report;
  if (is_running_) {
    return report;
  }
  refuse_while_anyone_dies("find_leaks()");
  finish_slices();
  current_ = Collection();
  in_slices_ = false;
  stack_.reset();
  is_running_ = true;
  heap_.pools().hold_arenas(true);
  (void)prepare(Deadline());
  (void)tally(Deadline());
  (void)mark(Deadline());
  (void)finish(Deadline());
  heap_.pools().hold_arenas(false);
  is_running_ = false;

  const auto is_garbage = [this](const Object& object) {
    return is_candidate(object) && !heap_.test(SideBit::mark, object) &&
           (!is_pooled(object) || kind_of(&object) != PoolKind::no_references);
  };
  std::map<const Type*, LeakReport::OfType> types;
  std::unordered_set<const Object*> seen;
  std::vector<const Object*> cycle;
  heap_.for_each_object([&](Object& object) {
    if (!is_garbage(object)) {
      return;
    }
    const std::size_t bytes = is_pooled(object)
                                  ? heap_.pools().range().lookup().pool_at(&object)->block_size
                                  : LargeObject::of(&object).size;
    LeakReport::OfType& of = types[&object.type()];
    ++of.objects;
    of.bytes += bytes;
    ++report.objects;
    report.bytes += bytes;
    if (cycle.empty() && !seen.contains(&object)) {
      cycle = cycle_from(object, seen, is_garbage);
    }
  });
  for (auto& [type, of] : types) {
    of.type = type->name();
    report.types.push_back(std::move(of));
  }
  std::sort(report.types.begin(), report.types.end(),
            [](const auto& left, const auto& right) { return left.bytes > right.bytes; });
  for (const Object* const object : cycle) {
    report.path.emplace_back(object->type().name());
  }
  return report;
}

}  // namespace tarn::gc

namespace tarn {

std::string LeakReport::text() const {
  if (objects == 0) {
    return "tarn: no cycles are left\n";
  }
  std::string text = "tarn: cycles that nobody collected: " + std::to_string(objects) +
                     " objects, " + std::to_string(bytes) + " bytes\n";
  for (const OfType& of : types) {
    text += "  " + std::to_string(of.objects) + " of type " + of.type + ", " +
            std::to_string(of.bytes) + " bytes\n";
  }
  if (!path.empty()) {
    constexpr std::size_t most = 16;
    text += "  one of them: ";
    for (std::size_t i = 0; i < path.size() && i < most; ++i) {
      text += path[i] + " -> ";
    }
    text += path.size() > most ? "... (" + std::to_string(path.size() - most) + " more) -> " : "";
    text += path[0] + "\n";
  }
  return text;
}

}  // namespace tarn
