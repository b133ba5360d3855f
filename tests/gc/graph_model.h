// Random operations on a graph of objects, and beside it a model that knows who must be alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include <tarn/gc.h>

namespace tarn::test {

// What objects report to.
struct Census {
  std::set<int> alive;
  std::map<int, int> finalized;
  std::map<int, int> called_back;
};

struct Plain final : Object {
  Plain(Census& of, int with_id) : census(&of), id(with_id) { census->alive.insert(id); }
  ~Plain() { census->alive.erase(id); }
  Member<Object> first;
  Member<Object> second;
  Census* census;
  int id;
  static constexpr auto members = tarn::members(&Plain::first, &Plain::second);
};

// As Plain, of 40, 56 and 72 bytes: each second one starts in the middle of 16 bytes.
struct Entry {
  Entry(Census& of, int with_id) : census(&of), id(with_id) { census->alive.insert(id); }
  ~Entry() { census->alive.erase(id); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  Census* census;
  int id;
};
template <std::size_t bytes>
struct Narrow final : Object {
  Narrow(Census& of, int with_id) : entry(std::make_unique<Entry>(of, with_id)) {}
  Member<Object> first;
  Member<Object> second;
  std::unique_ptr<Entry> entry;
  std::uint64_t rest[(bytes - 40) / 8] = {};
  static constexpr auto members = tarn::members(&Narrow::first, &Narrow::second);
};
template <>
struct Narrow<40> final : Object {
  Narrow(Census& of, int with_id) : entry(std::make_unique<Entry>(of, with_id)) {}
  Member<Object> first;
  Member<Object> second;
  std::unique_ptr<Entry> entry;
  static constexpr auto members = tarn::members(&Narrow::first, &Narrow::second);
};
static_assert(sizeof(Narrow<40>) == 40 && sizeof(Narrow<56>) == 56 && sizeof(Narrow<72>) == 72);

// The smallest but one.
struct Single final : Object {
  Single(Census& of, int with_id) : entry(std::make_unique<Entry>(of, with_id)) {}
  std::unique_ptr<Entry> entry;
};
static_assert(sizeof(Single) == 24);

struct Container final : Object {
  Container(Census& of, int with_id) : census(&of), id(with_id) { census->alive.insert(id); }
  ~Container() { census->alive.erase(id); }
  std::vector<Member<Object>> all;
  Member<Object> one;
  Census* census;
  int id;
  static constexpr auto members = tarn::members(&Container::one, &Container::all);
};

struct Items final : Sized<Items, Member<Object>> {
  Items(Census& of, int with_id) : census(&of), id(with_id) { census->alive.insert(id); }
  ~Items() { census->alive.erase(id); }
  Census* census;
  int id;
};

// With a finalizer, which does what it's told.
struct Finalized final : Object {
  Finalized(Census& of, int with_id) : census(&of), id(with_id) { census->alive.insert(id); }
  ~Finalized() { census->alive.erase(id); }
  void finalize() {
    ++census->finalized[id];
    if (on_finalize) {
      on_finalize(*this);
    }
  }
  Member<Object> first;
  Member<Object> second;
  Census* census;
  int id;
  std::function<void(Finalized&)> on_finalize;
  static constexpr auto members = tarn::members(&Finalized::first, &Finalized::second);
};

// No references: never looked at.
struct Leaf final : Object {
  Leaf(Census& of, int with_id) : census(&of), id(with_id) { census->alive.insert(id); }
  ~Leaf() { census->alive.erase(id); }
  Census* census;
  int id;
};

[[nodiscard]] int id_of(const Object& object);

struct GraphOptions {
  bool with_large = true;
  std::size_t most_roots = 8;
};

class GraphModel {
 public:
  GraphModel(ObjectHeap& heap, unsigned seed, const GraphOptions& options = {})
      : heap_(heap), random_(seed), options_(options) {}

  // Makes, links, unlinks, moves, drops something.
  void step();
  void steps(int count) {
    for (int i = 0; i < count; ++i) {
      step();
    }
  }

  // Those that are reachable from the roots, by the objects' own references; every one of them must be alive.
  [[nodiscard]] std::set<int> reachable() const;
  // Whoever is reachable is alive.
  void expect_reachable_alive() const;
  // … and nobody else is.
  void expect_exactly_reachable_alive() const { EXPECT_EQ(census.alive, reachable()); }
  // Weak references know who's alive; no finalizer has run twice.
  void expect_weak_references_agree() const;
  void drop_all() { roots_.clear(); }

  Census census;

 private:
  [[nodiscard]] std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }
  [[nodiscard]] Ref<Object> make();
  [[nodiscard]] Ref<Object> any();  // by a walk from a root
  void set_edge(Object& from, Ref<Object> to);
  [[nodiscard]] Ref<Object> edge_of(Object& from);

  struct Watch {
    Weak<Object> weak;
    int id;
  };

  ObjectHeap& heap_;
  std::mt19937 random_;
  GraphOptions options_;
  std::vector<Ref<Object>> roots_;
  std::vector<Watch> watches_;
  int next_id_ = 0;
};

}  // namespace tarn::test
