#include "sight/reading/heap_image.h"

#include <algorithm>
#include <bit>
#include <map>

#include "sight/reading/bad_snapshot.h"
#include "sight/reading/kinds.h"
#include "sight/reading/places.h"

namespace tarn::sight::reading {
namespace {

constexpr std::size_t most_blocks = 1'000'000'000;
constexpr std::uint64_t id_of_no_room = 1;  // of table site

using Ids = std::unordered_map<std::uint64_t, std::uint32_t>;

std::uint32_t find(const Ids& ids, std::optional<std::uint64_t> id) {
  if (!id) {
    return no_index;
  }
  const auto found = ids.find(*id);
  return found == ids.end() ? no_index : found->second;
}

// From an address to the block that starts there: a table of stretches, and a search in the stretch.
class AddressIndex {
 public:
  explicit AddressIndex(const std::vector<Block>& blocks) : blocks_(blocks) {
    for (std::uint32_t i = 0; i < blocks.size(); ++i) {
      const auto [stretch, is_new] =
          stretches_.try_emplace(blocks[i].address >> shift, Stretch{i, i});
      stretch->second.last = i + 1;
    }
  }

  [[nodiscard]] std::uint32_t find(std::uint64_t address) {
    if (address == last_address_) {
      return last_found_;
    }
    last_address_ = address;
    last_found_ = search(address);
    return last_found_;
  }

 private:
  static constexpr int shift = 14;
  struct Stretch {
    std::uint32_t first;
    std::uint32_t last;
  };

  [[nodiscard]] std::uint32_t search(std::uint64_t address) {
    const auto stretch = stretches_.find(address >> shift);
    if (stretch == stretches_.end()) {
      return no_index;
    }
    const auto end = blocks_.begin() + stretch->second.last;
    const auto found =
        std::lower_bound(blocks_.begin() + stretch->second.first, end, address,
                         [](const Block& block, std::uint64_t at) { return block.address < at; });
    return found != end && found->address == address
               ? static_cast<std::uint32_t>(found - blocks_.begin())
               : no_index;
  }

  const std::vector<Block>& blocks_;
  std::unordered_map<std::uint64_t, Stretch> stretches_;
  std::uint64_t last_address_ = ~std::uint64_t{0};
  std::uint32_t last_found_ = no_index;
};

class Loader {
 public:
  Loader(const SnapshotReader& file, std::uint64_t id) : file_(file), id_(id) {}

  HeapImage load(References references) {
    load_facts();
    load_names();
    load_blocks();
    AddressIndex index(image_.blocks);
    connect(index);
    load_samples(index);
    make_extents();
    if (references == References::all && image_.facts.has_references) {
      load_references(index);
    }
    make_attributes_parts(image_);
    return std::move(image_);
  }

 private:
  template <class F>
  void rows(const char* table, const char* columns, const char* rest, F&& f) {
    file_.for_each(id_, table, columns, rest, std::forward<F>(f));
  }

  void load_facts() {
    bool is_there = false;
    rows("snapshot", facts_columns, "", [&](Row row) {
      image_.facts = read_facts(row);
      is_there = true;
    });
    if (!is_there) {
      throw BadSnapshot("there is no snapshot " + std::to_string(id_) + " in it");
    }
    rows("ledger", ledger_columns, "ORDER BY position",
         [&](Row row) { image_.ledger.push_back(read_ledger(row)); });
    std::map<std::pair<std::string, std::string>, std::uint64_t> others;
    rows("mapping", mapping_columns, "", [&](Row row) {
      MappingRow mapping = read_mapping(row);
      if (mapping.owner != "arenas" && mapping.owner != "large" && mapping.owner != "descriptors") {
        others[{std::move(mapping.owner), std::move(mapping.name)}] += mapping.resident;
      }
    });
    for (const auto& [key, resident] : others) {
      if (resident != 0) {
        image_.others.push_back({key.first, key.second, resident});
      }
    }
    std::ranges::stable_sort(image_.others, std::greater(), &MappingRow::resident);
  }

  void load_names() {
    rows("type", type_columns, "", [&](Row row) {
      TypeRow type = read_type(row);
      types_[type.id] = static_cast<std::uint32_t>(image_.types.size());
      const bool is_plain = type.module.empty() || type.module == "builtins";
      image_.types.push_back(is_plain ? std::move(type.name) : type.module + '.' + type.name);
    });
    Ids frames;
    rows("frame", frame_columns, "", [&](Row row) {
      image_.frames.push_back(read_frame(row));
      frames[image_.frames.back().id] = static_cast<std::uint32_t>(image_.frames.size() - 1);
    });
    rows("root", root_columns, "ORDER BY id", [&](Row row) {
      RootRow root = read_root(row);
      roots_[root.id] = static_cast<std::uint32_t>(image_.roots.size());
      root_blocks_.push_back(root.block);
      image_.roots.push_back(
          {no_index, find(frames, root.frame), std::move(root.kind), std::move(root.name)});
    });
    rows("site", site_columns, "ORDER BY id", [&](Row row) {
      const SiteRow site = read_site(row);
      sites_[site.id] = static_cast<std::uint32_t>(image_.sites.size());
      image_.sites.emplace_back().has_no_room = site.id == id_of_no_room;
      image_.sites_rate = site.rate;
    });
    rows("site_frame", site_frame_columns, "ORDER BY site, position", [&](Row row) {
      const SiteFrameRow place = read_site_frame(row);
      const auto site = sites_.find(place.site);
      const std::uint32_t frame = find(frames, place.frame);
      if (site != sites_.end() && frame != no_index) {
        image_.sites[site->second].has_no_room = false;
        image_.sites[site->second].frames.push_back(frame);
      }
    });
    find_places(image_);
  }

  void load_samples(AddressIndex& index) {
    if (!file_.has_samples()) {
      return;
    }
    rows("sample", sample_columns, "ORDER BY block", [&](Row row) {
      const SampleRow sample = read_sample(row);
      image_.weights.resize(image_.blocks.size(), 1);
      if (const std::uint32_t block = index.find(sample.block); block != no_index) {
        image_.weights[block] = static_cast<float>(sample.weight);
      }
    });
  }

  void load_blocks() {
    std::uint64_t end = 0;
    rows("block", block_columns, "AND state = 1 ORDER BY address", [&](Row row) {
      const BlockRow read = read_block(row);
      const bool is_outside = read.place == Place::outside;
      if (!image_.blocks.empty() && read.address <= image_.blocks.back().address) {
        throw BadSnapshot("table block: two blocks at one address");
      }
      if (!is_outside && read.address < end) {
        throw BadSnapshot("table block: two blocks overlap");
      }
      if (!is_outside) {
        end = read.address + read.size;
      }
      if (image_.blocks.size() == most_blocks) {
        throw BadSnapshot("table block: too many blocks");
      }
      Block block;
      block.address = read.address;
      block.size = read.size;
      block.place = read.place;
      block.content = read.content;
      block.domain = read.domain.value_or(0);
      block.type = find(types_, read.type);
      block.root = find(roots_, read.root);
      block.site = find(sites_, read.site);
      block.is_immortal = read.content == Content::object && !read.refcount;
      block.refcount =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(read.refcount.value_or(0), no_index));
      holders_.push_back(read.content == Content::part ? read.owner.value_or(0)
                                                       : read.holder.value_or(0));
      image_.blocks.push_back(block);
    });
  }

  void connect(AddressIndex& index) {
    for (std::size_t i = 0; i < image_.blocks.size(); ++i) {
      Block& block = image_.blocks[i];
      block.holder = holders_[i] == 0 ? no_index : index.find(holders_[i]);
      if (block.holder == i) {
        throw BadSnapshot("table block: a block holds itself");
      }
      if (block.content == Content::part && block.holder != no_index) {
        const Block& owner = image_.blocks[block.holder];
        if (owner.content != Content::object) {
          throw BadSnapshot("table block: a part's owner is no object");
        }
        block.type = owner.type;
        block.root = owner.root;
      }
    }
    std::vector<std::uint64_t>().swap(holders_);
    for (std::size_t i = 0; i < image_.roots.size(); ++i) {
      image_.roots[i].block = index.find(root_blocks_[i]);
    }
  }

  void make_extents() {
    std::unordered_map<std::uint64_t, std::uint64_t> large;
    rows("large", large_columns, "", [&](Row row) {
      const LargeRow read = read_large(row);
      large[read.address] = read.resident;
    });
    std::size_t at = 0;
    std::uint64_t end = 0;
    rows("pool", pool_columns, "ORDER BY address", [&](Row row) {
      const PoolRow pool = read_pool(row, image_.facts.page_size);
      if (pool.address < end) {
        throw BadSnapshot("table pool: two pools overlap");
      }
      end = pool.address + pool.size;
      at = pass_over(at, pool.address, large);
      const std::size_t first = at;
      while (at < image_.blocks.size() && image_.blocks[at].address < end) {
        const Block& block = image_.blocks[at];
        if (block.place != Place::pool || block.address + block.size > end) {
          throw BadSnapshot("table block: a block reaches out of its pool");
        }
        ++at;
      }
      pages_of(pool, first, at);
    });
    pass_over(at, address_limit + 1, large);
  }

  // The blocks before `address` are in no pool.
  std::size_t pass_over(std::size_t at, std::uint64_t address,
                        const std::unordered_map<std::uint64_t, std::uint64_t>& large) {
    for (; at < image_.blocks.size() && image_.blocks[at].address < address; ++at) {
      const Block& block = image_.blocks[at];
      if (block.place == Place::pool) {
        throw BadSnapshot("table block: a block's pool is missing");
      }
      if (block.place != Place::large) {
        continue;
      }
      const auto found = large.find(block.address);
      if (found == large.end()) {
        throw BadSnapshot("table block: a large block isn't in table large");
      }
      if (found->second != 0) {
        const auto index = static_cast<std::uint32_t>(at);
        image_.extents.push_back({found->second, index, index + 1});
        image_.large += found->second;
      }
    }
    return at;
  }

  void pages_of(const PoolRow& pool, std::size_t first, std::size_t last) {
    const std::uint64_t page_size = image_.facts.page_size;
    for (std::uint64_t page = 0; page < pool.size / page_size; ++page) {
      if ((pool.resident_pages >> page & 1) == 0) {
        continue;
      }
      const std::uint64_t start = pool.address + page * page_size;
      const std::uint64_t end = start + page_size;
      while (first < last && image_.blocks[first].address + image_.blocks[first].size <= start) {
        ++first;
      }
      std::size_t behind = first;
      for (; behind < last && image_.blocks[behind].address < end; ++behind) {
        const Block& block = image_.blocks[behind];
        image_.live += std::min(block.address + block.size, end) - std::max(block.address, start);
      }
      if (behind == first) {
        image_.empty_pages += page_size;
        continue;
      }
      image_.live_pages += page_size;
      image_.extents.push_back(
          {page_size, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(behind)});
    }
  }

  void load_references(AddressIndex& index) {
    std::uint64_t source = 0;
    std::uint32_t from = no_index;
    rows("reference", reference_columns, "", [&](Row row) {
      const ReferenceRow read = read_reference(row);
      if (read.source != source) {
        source = read.source;
        from = index.find(source);
      }
      const std::uint32_t to = index.find(read.target);
      if (from != no_index && to != no_index) {
        image_.references.emplace_back(from, to);
      }
    });
  }

  const SnapshotReader& file_;
  std::uint64_t id_;
  HeapImage image_;
  Ids types_;
  Ids roots_;
  Ids sites_;
  std::vector<std::uint64_t> root_blocks_;
  std::vector<std::uint64_t> holders_;
};

}  // namespace

HeapImage load_heap_image(const SnapshotReader& file, std::uint64_t id, References references) {
  return Loader(file, id).load(references);
}

std::string type_name(const HeapImage& image, std::uint32_t type) {
  return type < image.types.size() ? image.types[type] : "unknown";
}

}  // namespace tarn::sight::reading
