#include "sight/holders.h"

#include <algorithm>
#include <iterator>

namespace tarn::sight {

namespace {

class Search {
 public:
  explicit Search(Capture& capture) : capture_(capture), blocks_(capture.blocks) {}

  void run() {
    find_objects();
    index_references();
    find_parts();
    for (const char* const kind : {"global", "local", "module", "type", "interpreter"}) {
      for (std::uint32_t root = 0; root < capture_.roots.size(); ++root) {
        if (capture_.roots[root].kind == kind) {
          begin_at(capture_.roots[root].block, root);
        }
      }
    }
    go_on();
    begin_at_unknown();
    go_on();
    take_garbage();
    give_to_parts();
  }

 private:
  void find_objects() {
    for (Block& block : blocks_) {
      if (block.is_candidate()) {
        block.content = (block.flags & object_flags::spare) != 0 ? Content::spare : Content::object;
      }
    }
  }

  void index_references() {
    first_.assign(blocks_.size() + 1, 0);
    std::size_t next = 0;
    for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
      first_[block] = next;
      while (next < capture_.references.size() && capture_.references[next].source == block) {
        ++next;
      }
    }
    first_[blocks_.size()] = next;
    type_block_.assign(capture_.types.size(), no_block);
    for (std::size_t type = 0; type < capture_.types.size(); ++type) {
      const std::uint32_t block = capture_.find(capture_.types[type].address);
      if (block != no_block && blocks_[block].content == Content::object) {
        type_block_[type] = block;
      }
    }
  }

  // A word in an object's struct that leads to an object is a reference that its type doesn't tell of.
  void find_parts() {
    std::vector<Part>& parts = capture_.parts;
    std::stable_sort(parts.begin(), parts.end(), [](const Part& left, const Part& right) {
      return left.source < right.source;
    });
    std::vector<std::uint32_t> claimed;
    const auto claim = [&](std::uint32_t owner, std::uint32_t source) {
      auto part = std::lower_bound(
          parts.begin(), parts.end(), source,
          [](const Part& one, std::uint32_t wanted) { return one.source < wanted; });
      for (; part != parts.end() && part->source == source; ++part) {
        Block& target = blocks_[part->target];
        if (target.content == Content::unknown && target.owner == no_block) {
          target.content = Content::part;
          target.owner = owner;
          claimed.push_back(part->target);
        } else if (target.content == Content::object && owner == source) {
          hidden_.push_back(*part);
        }
      }
    };
    for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
      if (blocks_[block].content == Content::object) {
        claim(block, block);
      }
    }
    while (!claimed.empty()) {
      const std::uint32_t block = claimed.back();
      claimed.pop_back();
      claim(blocks_[block].owner, block);
    }
  }

  template <typename Visit>
  void for_each_held_by(std::uint32_t block, Visit visit) const {
    for (std::size_t i = first_[block]; i < first_[block + 1]; ++i) {
      const References& references = capture_.references[i];
      for (std::size_t at = references.first; at < references.last; ++at) {
        visit(capture_.targets[at]);
      }
    }
    auto hidden =
        std::lower_bound(hidden_.begin(), hidden_.end(), block,
                         [](const Part& one, std::uint32_t wanted) { return one.source < wanted; });
    for (; hidden != hidden_.end() && hidden->source == block; ++hidden) {
      visit(hidden->target);
    }
    if (const std::uint32_t type = blocks_[block].type;
        type != no_type && type_block_[type] != no_block) {
      visit(type_block_[type]);
    }
  }

  void begin_at(std::uint32_t block, std::uint32_t root) {
    Block& here = blocks_[block];
    if (here.content == Content::object && here.root == no_root) {
      here.root = root;
      here.depth = 0;
      queue_.push_back(block);
    }
  }

  void go_on() {
    for (std::size_t next = 0; next < queue_.size(); ++next) {
      const std::uint32_t from = queue_[next];
      for_each_held_by(from, [&](std::uint32_t target) {
        Block& block = blocks_[target];
        if (block.content == Content::object && block.root == no_root) {
          block.root = blocks_[from].root;
          block.holder = from;
          block.depth = blocks_[from].depth + 1;
          queue_.push_back(target);
        }
      });
    }
    queue_.clear();
  }

  void add_root(const char* kind, std::uint32_t block) {
    Root root;
    root.kind = kind;
    root.name = capture_.types[blocks_[block].type].name;
    root.block = block;
    capture_.roots.push_back(std::move(root));
    begin_at(block, static_cast<std::uint32_t>(capture_.roots.size() - 1));
  }

  void begin_at_unknown() {
    std::vector<std::uint32_t> found(blocks_.size(), 0);
    for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
      if (blocks_[block].content == Content::object) {
        for_each_held_by(block, [&](std::uint32_t target) { ++found[target]; });
      }
    }
    for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
      const Block& here = blocks_[block];
      const bool is_immortal = (here.flags & object_flags::immortal) != 0;
      if (here.content == Content::object && here.root == no_root &&
          (is_immortal || here.refcount > found[block])) {
        add_root("unknown", block);
      }
    }
  }

  void take_garbage() {
    for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
      if (blocks_[block].content == Content::object && blocks_[block].root == no_root) {
        add_root("garbage", block);
        go_on();
      }
    }
  }

  void give_to_parts() {
    for (Block& block : blocks_) {
      if (block.content == Content::part) {
        const Block& owner = blocks_[block.owner];
        block.root = owner.root;
        block.holder = block.owner;
        block.depth = owner.depth + 1;
      }
    }
  }

  Capture& capture_;
  std::vector<Block>& blocks_;
  std::vector<std::size_t> first_;  // of each block's references
  std::vector<std::uint32_t> type_block_;
  std::vector<Part> hidden_;  // in order of sources, as they are found so
  std::vector<std::uint32_t> queue_;
};

}  // namespace

void find_holders(Capture& capture) { Search(capture).run(); }

}  // namespace tarn::sight
