#include "sight/reading/kinds.h"

#include <algorithm>
#include <vector>

namespace tarn::sight::reading {
namespace {

bool has_dicts_of_instances(std::string_view python) {
  constexpr std::string_view versions[] = {"3.8.", "3.9.", "3.10."};
  return std::ranges::any_of(versions,
                             [&](std::string_view version) { return python.starts_with(version); });
}

}  // namespace

TypeKind kind_of(std::string_view type) {
  constexpr std::string_view containers[] = {"dict",
                                             "list",
                                             "tuple",
                                             "set",
                                             "frozenset",
                                             "mappingproxy",
                                             "collections.Counter",
                                             "collections.OrderedDict",
                                             "collections.UserDict",
                                             "collections.UserList",
                                             "collections.defaultdict",
                                             "collections.deque",
                                             "weakref.WeakKeyDictionary",
                                             "weakref.WeakValueDictionary"};
  if (std::ranges::find(containers, type) != std::end(containers)) {
    return TypeKind::container;
  }
  return type.find('.') == std::string_view::npos ? TypeKind::plain : TypeKind::own;
}

void make_attributes_parts(HeapImage& image) {
  const auto dict = std::ranges::find(image.types, "dict");
  if (!has_dicts_of_instances(image.facts.python) || dict == image.types.end()) {
    return;
  }
  const auto of_dicts = static_cast<std::uint32_t>(dict - image.types.begin());
  std::vector<std::uint32_t> attributes(image.blocks.size(), no_index);  // by the instance
  std::vector<bool> has_several(image.blocks.size(), false);
  for (std::uint32_t i = 0; i < image.blocks.size(); ++i) {
    const Block& block = image.blocks[i];
    if (block.content != Content::object || block.type != of_dicts || block.refcount != 1 ||
        block.holder == no_index) {
      continue;
    }
    const Block& holder = image.blocks[block.holder];
    if (holder.content == Content::object &&
        kind_of(type_name(image, holder.type)) == TypeKind::own) {
      has_several[block.holder] = attributes[block.holder] != no_index;
      attributes[block.holder] = i;
    }
  }
  std::vector<bool> is_attributes(image.blocks.size(), false);
  for (std::uint32_t i = 0; i < image.blocks.size(); ++i) {
    if (attributes[i] != no_index && !has_several[i]) {
      image.blocks[attributes[i]].content = Content::part;
      image.blocks[attributes[i]].type = image.blocks[i].type;
      is_attributes[attributes[i]] = true;
    }
  }
  for (Block& block : image.blocks) {
    if (block.content == Content::part && block.holder != no_index &&
        is_attributes[block.holder]) {  // its table
      block.type = image.blocks[block.holder].type;
    }
  }
}

}  // namespace tarn::sight::reading
