#include "document.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <unordered_map>

namespace json {
namespace {

constexpr std::string_view reference_name = "$ref";

class Parser {
 public:
  Parser(tarn::ObjectHeap& heap, std::string_view text) : heap_(heap), text_(text) {}

  tarn::Ref<Node> document() {
    tarn::Ref<Node> root = value();
    skip_blanks();
    if (at_ != text_.size()) {
      throw Error("more text after the document", at_);
    }
    tarn::Member<Node> top(root);
    resolve(top, top);
    return tarn::Ref<Node>(top);
  }

 private:
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void expect(char c, const char* what) {
    skip_blanks();
    if (peek() != c) {
      throw Error(std::string("expected ") + what, at_);
    }
    ++at_;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  tarn::Ref<Node> value() {
    if (++nesting_ > nesting_max) {
      throw Error("nested too deep", at_);
    }
    skip_blanks();
    tarn::Ref<Node> node;
    if (peek() == '{') {
      node = object();
    } else if (peek() == '[') {
      node = array();
    } else if (peek() == '"') {
      node = heap_.make<String>(string());
    } else if (take("null")) {
      node = heap_.make<Null>();
    } else if (take("true")) {
      node = heap_.make<Boolean>(true);
    } else if (take("false")) {
      node = heap_.make<Boolean>(false);
    } else {
      node = heap_.make<Number>(number());
    }
    --nesting_;
    return node;
  }

  tarn::Ref<Object> object() {
    tarn::Ref<Object> object = heap_.make<Object>();
    std::unordered_map<std::string, bool> names;
    expect('{', "'{'");
    skip_blanks();
    if (peek() == '}') {
      ++at_;
      return object;
    }
    for (;;) {
      skip_blanks();
      const std::size_t where = at_;
      std::string name = string();
      if (!names.emplace(name, true).second) {
        throw Error("the name \"" + name + "\" comes twice", where);
      }
      expect(':', "':'");
      object->entries.push_back({std::move(name), value()});
      skip_blanks();
      if (peek() == '}') {
        ++at_;
        return object;
      }
      expect(',', "',' or '}'");
    }
  }

  tarn::Ref<Array> array() {
    tarn::Ref<Array> array = heap_.make<Array>();
    expect('[', "'['");
    skip_blanks();
    if (peek() == ']') {
      ++at_;
      return array;
    }
    for (;;) {
      array->items.emplace_back(value());
      skip_blanks();
      if (peek() == ']') {
        ++at_;
        return array;
      }
      expect(',', "',' or ']'");
    }
  }

  std::string string() {
    if (peek() != '"') {
      throw Error("expected '\"'", at_);
    }
    std::string result;
    for (++at_; peek() != '"'; ++at_) {
      if (static_cast<unsigned char>(peek()) < 0x20) {
        throw Error("a string doesn't end", at_);
      }
      if (peek() == '\\') {
        ++at_;
        escape(result);
      } else {
        result += peek();
      }
    }
    ++at_;
    return result;
  }

  void escape(std::string& result) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (const std::size_t which = letters.find(peek());
        peek() != '\0' && which != std::string_view::npos) {
      result += meanings[which];
    } else if (peek() == 'u') {
      std::uint32_t point = four_digits();
      if (point >= 0xd800 && point < 0xdc00) {
        ++at_;
        const std::size_t low_at = at_;
        const std::uint32_t low = take("\\") && peek() == 'u' ? four_digits() : 0;
        if (low < 0xdc00 || low >= 0xe000) {
          throw Error("half a surrogate pair", low_at);
        }
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      } else if (point >= 0xdc00 && point < 0xe000) {
        throw Error("half a surrogate pair", at_);
      }
      append_utf8(result, point);
    } else {
      throw Error("there's no such escape", at_);
    }
  }

  // Of the escape whose letter is next; its last digit is next afterwards.
  std::uint32_t four_digits() {
    std::uint32_t number = 0;
    const std::string_view digits = text_.substr(at_ + 1, 4);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) {
      throw Error("expected four hexadecimal digits", at_ + 1);
    }
    at_ += 4;
    return number;
  }

  static void append_utf8(std::string& result, std::uint32_t point) {
    const auto put = [&result](std::uint32_t byte) { result += static_cast<char>(byte); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | (point >> 6));
      put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
      put(0xe0 | (point >> 12));
      put(0x80 | ((point >> 6) & 0x3f));
      put(0x80 | (point & 0x3f));
    } else {
      put(0xf0 | (point >> 18));
      put(0x80 | ((point >> 12) & 0x3f));
      put(0x80 | ((point >> 6) & 0x3f));
      put(0x80 | (point & 0x3f));
    }
  }

  // from_chars reads JSON's numbers, and some more: those are refused here.
  double number() {
    const std::size_t digit = at_ + (peek() == '-' ? 1 : 0);
    const auto is_digit = [this](std::size_t where) {
      return where < text_.size() && text_[where] >= '0' && text_[where] <= '9';
    };
    double number = 0;
    const char* const end_of_text = text_.data() + text_.size();
    const auto [end, error] = std::from_chars(text_.data() + at_, end_of_text, number);
    if (!is_digit(digit) || error == std::errc::invalid_argument) {
      throw Error("expected a value", at_);
    }
    if (error == std::errc::result_out_of_range) {
      throw Error("a number is too large, or too small", at_);
    }
    if ((text_[digit] == '0' && is_digit(digit + 1)) || *(end - 1) == '.') {
      throw Error("that isn't how JSON writes numbers", at_);
    }
    at_ = static_cast<std::size_t>(end - text_.data());
    return number;
  }

  // Null: the node is no reference.
  static const std::string* path_of(Node& node) {
    if (!tarn::is<Object>(node)) {
      return nullptr;
    }
    auto& object = static_cast<Object&>(node);
    if (object.entries.size() != 1 || object.entries.front().name != reference_name ||
        !tarn::is<String>(*object.entries.front().value)) {
      return nullptr;
    }
    return &static_cast<String&>(*object.entries.front().value).value;
  }

  // Puts the nodes that references in `place` mean in their places. The nesting is that of the text: what a
  // reference leads to is seen to where it stands itself.
  void resolve(tarn::Member<Node>& place, tarn::Member<Node>& root) {
    if (path_of(*place) != nullptr) {
      place = target_of(place, root);
    } else if (tarn::is<Array>(*place)) {
      for (tarn::Member<Node>& item : static_cast<Array&>(*place).items) {
        resolve(item, root);
      }
    } else if (tarn::is<Object>(*place)) {
      for (Object::Entry& entry : static_cast<Object&>(*place).entries) {
        resolve(entry.value, root);
      }
    }
  }

  // What a reference leads to may be a reference as well, if its turn hasn't come.
  tarn::Ref<Node> target_of(tarn::Member<Node>& reference, tarn::Member<Node>& root) {
    tarn::Ref<Node> node(reference);
    for (int hops = 0; const std::string* const path = path_of(*node); ++hops) {
      if (hops > hops_max) {
        throw Error("references lead to each other: " + *path, text_.size());
      }
      node = find(tarn::Ref<Node>(root), *path);
    }
    return node;
  }

  tarn::Ref<Node> find(tarn::Ref<Node> node, std::string_view path) const {
    const std::string whole(path);
    if (!path.starts_with('#')) {
      throw Error("not a reference within the document: " + whole, text_.size());
    }
    path.remove_prefix(1);
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('/', 1), path.size());
      tarn::Member<Node>* const next =
          path.front() == '/' ? step(*node, unescaped(path.substr(1, end - 1))) : nullptr;
      if (next == nullptr) {
        throw Error("a reference leads nowhere: " + whole, text_.size());
      }
      node = tarn::Ref<Node>(*next);
      path.remove_prefix(end);
    }
    return node;
  }

  static tarn::Member<Node>* step(Node& node, const std::string& name) {
    if (tarn::is<Object>(node)) {
      return static_cast<Object&>(node).find(name);
    }
    if (tarn::is<Array>(node)) {
      auto& items = static_cast<Array&>(node).items;
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
      if (error == std::errc() && end == name.data() + name.size() && index < items.size()) {
        return &items[index];
      }
    }
    return nullptr;
  }

  static std::string unescaped(std::string_view name) {
    std::string result;
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (name[i] == '~' && i + 1 < name.size()) {
        result += name[++i] == '1' ? '/' : '~';
      } else {
        result += name[i];
      }
    }
    return result;
  }

  static constexpr int hops_max = 64;

  tarn::ObjectHeap& heap_;
  std::string_view text_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

class Writer {
 public:
  std::string write(Node& root) {
    node(root, "#");
    return std::move(result_);
  }

 private:
  void node(Node& node, const std::string& path) {
    if (++nesting_ > nesting_max) {
      throw Error("the document is nested too deep to be written", result_.size());
    }
    any_node(node, path);
    --nesting_;
  }

  void any_node(Node& node, const std::string& path) {
    if (tarn::is<Null>(node)) {
      result_ += "null";
    } else if (tarn::is<Boolean>(node)) {
      result_ += static_cast<Boolean&>(node).value ? "true" : "false";
    } else if (tarn::is<Number>(node)) {
      number(static_cast<Number&>(node).value);
    } else if (tarn::is<String>(node)) {
      string(static_cast<String&>(node).value);
    } else if (const auto [place, is_new] = places_.try_emplace(&node, path); !is_new) {
      result_ += "{\"$ref\":";
      string(place->second);
      result_ += '}';
    } else if (tarn::is<Array>(node)) {
      array(static_cast<Array&>(node), path);
    } else {
      object(static_cast<Object&>(node), path);
    }
  }

  void array(Array& array, const std::string& path) {
    result_ += '[';
    for (std::size_t i = 0; i < array.items.size(); ++i) {
      result_ += i == 0 ? "" : ",";
      node(*array.items[i], path + '/' + std::to_string(i));
    }
    result_ += ']';
  }

  void object(Object& object, const std::string& path) {
    result_ += '{';
    for (std::size_t i = 0; i < object.entries.size(); ++i) {
      result_ += i == 0 ? "" : ",";
      string(object.entries[i].name);
      result_ += ':';
      node(*object.entries[i].value, path + '/' + escaped(object.entries[i].name));
    }
    result_ += '}';
  }

  void number(double value) {
    char buffer[32];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
    result_.append(buffer, end);
  }

  void string(std::string_view text) {
    result_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        result_ += '\\';
        result_ += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        char escape[8];
        std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
        result_ += escape;
      } else {
        result_ += c;
      }
    }
    result_ += '"';
  }

  static std::string escaped(std::string_view name) {
    std::string result;
    for (const char c : name) {
      if (c == '~') {
        result += "~0";
      } else if (c == '/') {
        result += "~1";
      } else {
        result += c;
      }
    }
    return result;
  }

  std::string result_;
  std::unordered_map<const Node*, std::string> places_;
  int nesting_ = 0;
};

}  // namespace

tarn::Member<Node>* Object::find(std::string_view name) {
  for (Entry& entry : entries) {
    if (entry.name == name) {
      return &entry.value;
    }
  }
  return nullptr;
}

tarn::Ref<Node> parse(tarn::ObjectHeap& heap, std::string_view text) {
  return Parser(heap, text).document();
}

std::string write(const tarn::Borrowed<Node>& root) { return Writer().write(*root); }

}  // namespace json
