#include "gc/graph_model.h"

namespace tarn::test {

namespace {

// Calls function(object) with what has two references and nothing else that owns, as what it is. False: it is something else.
template <typename From, typename Function>
bool with_pair(From& object, Function function) {
  const auto as = [&]<typename T>() {
    if (!is<T>(object)) {
      return false;
    }
    function(static_cast<std::conditional_t<std::is_const_v<From>, const T, T>&>(object));
    return true;
  };
  return as.template operator()<Plain>() || as.template operator()<Narrow<40>>() ||
         as.template operator()<Narrow<56>>() || as.template operator()<Narrow<72>>() ||
         as.template operator()<Finalized>();
}

std::vector<Object*> edges_of(const Object& object) {
  std::vector<Object*> edges;
  const auto add = [&](const Member<Object>& member) {
    if (member) {
      edges.push_back(member.get());
    }
  };
  if (with_pair(object, [&](const auto& pair) {
        add(pair.first);
        add(pair.second);
      })) {
    return edges;
  }
  if (is<Container>(object)) {
    add(static_cast<const Container&>(object).one);
    for (const Member<Object>& member : static_cast<const Container&>(object).all) {
      add(member);
    }
  } else if (is<Items>(object)) {
    for (const Member<Object>& member : static_cast<const Items&>(object).items()) {
      add(member);
    }
  }
  return edges;
}

}  // namespace

int id_of(const Object& object) {
  int id = 0;
  if (with_pair(object, [&]<typename T>(const T& pair) {
        if constexpr (requires { pair.entry; }) {
          id = pair.entry->id;
        } else {
          id = pair.id;
        }
      })) {
    return id;
  }
  if (is<Container>(object)) {
    return static_cast<const Container&>(object).id;
  }
  if (is<Items>(object)) {
    return static_cast<const Items&>(object).id;
  }
  if (is<Single>(object)) {
    return static_cast<const Single&>(object).entry->id;
  }
  return static_cast<const Leaf&>(object).id;
}

Ref<Object> GraphModel::make() {
  const int id = next_id_++;
  switch (pick(13)) {
    case 0:
      return heap_.make<Narrow<56>>(census, id);
    case 1:
      return heap_.make<Narrow<72>>(census, id);
    case 2:
    case 3:
      return heap_.make<Narrow<40>>(census, id);
    case 4:
      return heap_.make<Plain>(census, id);
    case 5:
    case 6:
      return heap_.make<Container>(census, id);
    case 7:
      return heap_.make_sized<Items>(pick(8), census, id);
    case 8:
      return heap_.make_sized<Items>(options_.with_large && pick(8) == 0 ? 600 : 3, census, id);
    case 9:
    case 10:
      return heap_.make<Finalized>(census, id);
    case 11:
      return heap_.make<Single>(census, id);
    default:
      return heap_.make<Leaf>(census, id);
  }
}

Ref<Object> GraphModel::edge_of(Object& from) {
  const std::vector<Object*> edges = edges_of(from);
  return edges.empty() ? Ref<Object>() : Ref<Object>(share, edges[pick(edges.size())]);
}

Ref<Object> GraphModel::any() {
  if (roots_.empty()) {
    return nullptr;
  }
  Ref<Object> at = roots_[pick(roots_.size())];
  for (std::size_t left = pick(6); left > 0; --left) {
    Ref<Object> next = edge_of(*at);
    if (!next) {
      break;
    }
    at = std::move(next);
  }
  return at;
}

void GraphModel::set_edge(Object& from, Ref<Object> to) {
  if (with_pair(from,
                [&](auto& pair) { (pick(2) == 0 ? pair.first : pair.second) = std::move(to); })) {
    return;
  }
  if (is<Container>(from)) {
    auto& container = static_cast<Container&>(from);
    switch (pick(3)) {
      case 0:
        container.one = std::move(to);
        break;
      case 1:
        container.all.push_back(std::move(to));
        break;
      default:
        if (!container.all.empty()) {
          container.all[pick(container.all.size())] = std::move(to);
        }
    }
  } else if (is<Items>(from)) {
    auto items = static_cast<Items&>(from).items();
    if (!items.empty()) {
      items[pick(items.size())] = std::move(to);
    }
  }
}

void GraphModel::step() {
  switch (pick(14)) {
    case 0:
    case 1:
    case 2: {
      Ref<Object> made = make();
      if (const Ref<Object> target = any()) {
        set_edge(*made, target);
      }
      if (roots_.size() < options_.most_roots) {
        roots_.push_back(std::move(made));
      } else if (const Ref<Object> from = any()) {
        set_edge(*from, std::move(made));
      }
      break;
    }
    case 3:
    case 4:
    case 5: {
      const Ref<Object> from = any();
      Ref<Object> to = any();
      if (from) {
        set_edge(*from, std::move(to));
      }
      break;
    }
    case 6: {
      if (const Ref<Object> from = any()) {
        set_edge(*from, nullptr);
      }
      break;
    }
    case 7:
    case 8:
      if (!roots_.empty()) {
        const std::size_t which = pick(roots_.size());
        std::swap(roots_[which], roots_.back());
        roots_.pop_back();
      }
      break;
    case 9:
      // The root moves on along an edge.
      if (!roots_.empty()) {
        Ref<Object>& root = roots_[pick(roots_.size())];
        if (Ref<Object> next = edge_of(*root)) {
          root = std::move(next);
        }
      }
      break;
    case 10: {
      // A reference is moved out of an object, without a count.
      const Ref<Object> from = any();
      if (from && roots_.size() < 2 * options_.most_roots) {
        (void)with_pair(*from, [&](auto& pair) {
          if (Ref<Object> taken = pair.first.take()) {
            roots_.push_back(std::move(taken));
          }
        });
      }
      break;
    }
    case 11: {
      // All of a container's are moved to another one.
      const Ref<Object> from = any();
      const Ref<Object> to = any();
      if (from && to && is<Container>(*from) && is<Container>(*to)) {
        static_cast<Container&>(*to).all.swap(static_cast<Container&>(*from).all);
      }
      break;
    }
    case 12:
      if (const Ref<Object> object = any()) {
        const int id = id_of(*object);
        if (pick(2) == 0) {
          watches_.push_back({Weak<Object>(object), id});
        } else {
          watches_.push_back({Weak<Object>(object,
                                           [this, id] {
                                             ++census.called_back[id];
                                             expect_weak_references_agree();
                                           }),
                              id});
        }
        if (watches_.size() > 20) {
          watches_.erase(watches_.begin());
        }
      }
      break;
    default:
      // By a weak reference, an object becomes a root again.
      if (!watches_.empty() && roots_.size() < 2 * options_.most_roots) {
        if (Ref<Object> alive = watches_[pick(watches_.size())].weak.lock()) {
          roots_.push_back(std::move(alive));
        }
      }
  }
}

std::set<int> GraphModel::reachable() const {
  std::set<const Object*> seen;
  std::vector<const Object*> left;
  const auto reach = [&](const Object& object) {
    if (seen.insert(&object).second) {
      left.push_back(&object);
    }
  };
  for (const Ref<Object>& root : roots_) {
    reach(*root);
  }
  while (!left.empty()) {
    const Object& object = *left.back();
    left.pop_back();
    for (const Object* const target : edges_of(object)) {
      reach(*target);
    }
  }
  std::set<int> ids;
  for (const Object* const object : seen) {
    ids.insert(id_of(*object));
  }
  return ids;
}

void GraphModel::expect_reachable_alive() const {
  for (const int id : reachable()) {
    EXPECT_TRUE(census.alive.contains(id)) << id;
  }
}

void GraphModel::expect_weak_references_agree() const {
  for (const Watch& watch : watches_) {
    if (const Ref<Object> alive = watch.weak.lock()) {
      EXPECT_EQ(id_of(*alive), watch.id);
      EXPECT_TRUE(census.alive.contains(watch.id));
    }
  }
  for (const auto& [id, times] : census.finalized) {
    EXPECT_EQ(times, 1) << "the finalizer of " << id;
  }
}

}  // namespace tarn::test
