// The JSON document of the peers that have no containers of their own: a node with a std::variant.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

#include "nodes.h"

namespace tarn::bench::objects {

template <typename P>
struct JsonNode final : P::template Base<JsonNode<P>> {
  using Field = typename P::template Field<JsonNode>;
  using Array = typename P::template Vector<Field>;
  using Object = typename P::template Vector<std::pair<typename P::String, Field>>;
  using Content = std::variant<std::monostate, bool, double, typename P::String, Array, Object>;

  explicit JsonNode(Content its_content) : content(std::move(its_content)) {}

  template <typename Visit>
  void visit_members(Visit& visit) {
    visit_in(content, visit);
  }
  template <typename Visit>
  void visit_members(Visit& visit) const {
    visit_in(content, visit);
  }

  Content content;

  static constexpr auto members = members_of<P>(&JsonNode::content);

 private:
  template <typename SomeContent, typename Visit>
  static void visit_in(SomeContent& content, Visit& visit) {
    if (auto* const array = std::get_if<Array>(&content)) {
      for (auto& field : *array) {
        visit(field);
      }
    } else if (auto* const object = std::get_if<Object>(&content)) {
      for (auto& [key, field] : *object) {
        visit(field);
      }
    }
  }
};

template <typename P>
struct JsonNodes {
  using Node = JsonNode<P>;
  using Value = typename P::template Owner<Node>;
  using String = typename P::String;

  static Value null() { return make(std::monostate{}); }
  static Value boolean(bool value) { return make(value); }
  static Value number(double value) { return make(value); }
  static Value string(std::string_view text) { return make(String(text)); }
  static Value array() { return make(typename Node::Array{}); }
  static Value object() { return make(typename Node::Object{}); }

  static void append(const Value& array, Value value) {
    std::get<typename Node::Array>(P::get(array)->content).emplace_back(std::move(value));
  }
  static void put(const Value& object, std::string_view key, Value value) {
    std::get<typename Node::Object>(P::get(object)->content)
        .emplace_back(String(key), std::move(value));
  }

  static double sum(const Value& value) { return sum_of(P::get(value)); }

 private:
  static Value make(typename Node::Content content) {
    return P::template make<Node>(std::move(content));
  }

  static double sum_of(const Node* node) {
    double sum = 0;
    if (const auto* const boolean = std::get_if<bool>(&node->content)) {
      sum = *boolean ? 1 : 0;
    } else if (const auto* const number = std::get_if<double>(&node->content)) {
      sum = *number;
    } else if (const auto* const text = std::get_if<String>(&node->content)) {
      sum = static_cast<double>(text->size());
    } else {
      each_member(*node, [&](const auto& field) { sum += sum_of(P::get(field)); });
    }
    return sum;
  }
};

}  // namespace tarn::bench::objects
