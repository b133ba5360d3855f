// A JSON document as a graph of objects.
//
// Nodes may be shared, and refer to each other in cycles: {"$ref": "#/path"} in the text stands for the node at that
// path (JSON Pointer, RFC 6901, in a JSON Reference), and reading puts that node itself in its place. Writing does
// the opposite.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tarn/object.h>

namespace json {

inline constexpr int nesting_max = 512;

// What is wrong with a text, and where in it: bytes from its start.
class Error : public std::runtime_error {
 public:
  Error(const std::string& what, std::size_t where)
      : std::runtime_error(what + " at byte " + std::to_string(where)) {}
};

// Any value: one of the types below.
struct Node : tarn::Object {};

struct Null final : Node {
  using Base = Node;
};

struct Boolean final : Node {
  using Base = Node;
  explicit Boolean(bool truth) : value(truth) {}
  bool value;
};

struct Number final : Node {
  using Base = Node;
  explicit Number(double number) : value(number) {}
  double value;
};

struct String final : Node {
  using Base = Node;
  explicit String(std::string text) : value(std::move(text)) {}
  std::string value;
};

struct Array final : Node {
  using Base = Node;
  std::vector<tarn::Member<Node>> items;
  static constexpr auto members = tarn::members(&Array::items);
};

// In the order of the text. A name comes once.
struct Object final : Node {
  using Base = Node;
  struct Entry {
    std::string name;
    tarn::Member<Node> value;
    static constexpr auto members = tarn::members(&Entry::value);
  };
  std::vector<Entry> entries;
  static constexpr auto members = tarn::members(&Object::entries);

  // Null: there's no such entry. Linear in their number.
  [[nodiscard]] tarn::Member<Node>* find(std::string_view name);
};

// Throws Error. References are resolved, also those that lead to what stands further on; their paths name what stands
// in the text, and don't lead through other references.
tarn::Ref<Node> parse(tarn::ObjectHeap& heap, std::string_view text);

// An array or object that was already written, or is being written, becomes a reference to its first place. Throws
// Error when the graph goes deeper than nesting_max: a flat text can tell of a deep graph.
std::string write(const tarn::Borrowed<Node>& root);

}  // namespace json
