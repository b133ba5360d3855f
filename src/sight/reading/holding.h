// Who keeps what alive, as a tree, and what goes when some objects go.
//
//   node 0           what no program can let go of by a name: C code, the interpreter, immortal objects
//   1 … blocks       block i is node i + 1
//   then roots       a name that holds a block
//
// With the references in the file, the graph is complete and the tree is that of dominators: a node's parent is the
// nearest one that all ways to it lead through. An object that is counted more often than references to it were
// found hangs from node 0 as well. References of a module's dict to what is a global are left out: the name stands
// for them, so that a global's tree is what deleting that name frees.
//
// Without references only one holder is known of each block. Then there are two answers: at least (an object goes
// with its holder if it is counted once) and at most (whatever its count); the tree is that of the first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sight/reading/graph.h"
#include "sight/reading/heap_image.h"

namespace tarn::sight::reading {

class Holding {
 public:
  // Keeps `image`, takes its references away.
  explicit Holding(HeapImage& image);

  [[nodiscard]] bool is_exact() const { return is_exact_; }
  [[nodiscard]] std::uint32_t node_of_block(std::uint32_t block) const { return block + 1; }
  [[nodiscard]] bool is_block(std::uint32_t node) const { return node != 0 && node <= blocks_; }
  [[nodiscard]] bool is_root(std::uint32_t node) const { return node > blocks_; }
  [[nodiscard]] std::uint32_t block_of(std::uint32_t node) const { return node - 1; }
  [[nodiscard]] std::uint32_t root_of(std::uint32_t node) const { return node - 1 - blocks_; }

  // Of each node its parent; and all nodes, parents first, node 0 the first of them.
  [[nodiscard]] std::uint32_t parent(std::uint32_t node) const { return tree_.parent[node]; }
  [[nodiscard]] const std::vector<std::uint32_t>& order() const { return tree_.order; }

  // Nodes that refer to the block; empty where references aren't known.
  [[nodiscard]] std::span<const std::uint32_t> referrers(std::uint32_t block) const;

  struct Freed {
    std::vector<bool> least;  // per block
    std::vector<bool> most;   // empty where it's the same
  };
  // What goes when the marked blocks do: they themselves, and what only they hold. Linear in blocks and references.
  [[nodiscard]] Freed freed_with(const std::vector<bool>& marked) const;

 private:
  void find_tree_by_references();
  void find_tree_by_holders();
  void add_roots(std::vector<Edge>& edges) const;
  void add_what_is_held_elsewhere(std::vector<Edge>& edges,
                                  const std::vector<std::uint32_t>& found) const;
  void add_unreached(std::vector<Edge>& edges) const;
  [[nodiscard]] std::vector<bool> freed_by_holders(const std::vector<bool>& marked,
                                                   std::uint32_t most_references) const;

  HeapImage& image_;
  std::uint32_t blocks_;
  bool is_exact_;
  Graph graph_;
  Graph reverse_;
  Dominators tree_;
};

}  // namespace tarn::sight::reading
