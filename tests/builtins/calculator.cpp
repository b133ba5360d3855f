// Reads expressions in postfix notation, a line each, and prints the repr of each one's value, or the error that it is.
// test_against_python.py writes the same expressions as Python evaluates them.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <vector>

#include <tarn/builtins.h>

namespace {

using namespace tarn;

class Calculator {
 public:
  explicit Calculator(Builtins& builtins) : all_(builtins) {
    const auto binary = [&](const char* name,
                            Ref<Object> (*function)(const Object&, const Object&)) {
      operations_[name] = [this, function] {
        const Ref<Object> right = pop();
        const Ref<Object> left = pop();
        push(function(*left, *right));
      };
    };
    binary("+", &add);
    binary("-", &subtract);
    binary("*", &multiply);
    binary("/", &true_divide);
    binary("//", &floor_divide);
    binary("%", &modulo);
    binary("**", &power);
    binary("<<", &shift_left);
    binary(">>", &shift_right);
    binary("&", &bit_and);
    binary("|", &bit_or);
    binary("^", &bit_xor);
    binary("get", &item_of);
    const auto unary = [&](const char* name, auto function) {
      operations_[name] = [this, function] {
        const Ref<Object> operand = pop();
        push(function(*operand));
      };
    };
    unary("neg", [](Object& object) { return negate(object); });
    unary("abs", [](Object& object) { return absolute(object); });
    unary("inv", [](Object& object) { return invert(object); });
    unary("hash",
          [this](Object& object) { return all_.integer(static_cast<std::int64_t>(hash(object))); });
    unary("len", [this](Object& object) {
      return all_.integer(static_cast<std::int64_t>(length(object)));
    });
    unary("bool", [this](Object& object) { return all_.boolean(truth(object)); });
    unary("repr", [this](Object& object) { return all_.string(repr(object)); });
    unary("bits", [this](Object& object) {
      return all_.integer(static_cast<std::int64_t>(static_cast<Int&>(object).bit_length()));
    });
    unary("double",
          [this](Object& object) { return all_.floating(static_cast<Int&>(object).to_double()); });
    unary("trunc", [this](Object& object) {
      return Int::from_double(all_, static_cast<Float&>(object).value());
    });
    unary("parse",
          [this](Object& object) { return Int::parse(all_, static_cast<Str&>(object).utf8()); });
    unary("parse0",
          [this](Object& object) { return Int::parse(all_, static_cast<Str&>(object).utf8(), 0); });
    unary("parsef", [this](Object& object) {
      return all_.floating(Float::parse(static_cast<Str&>(object).utf8()));
    });
    unary("tuple", [this](Object& object) { return all_.tuple_of(object); });
    unary("list", [this](Object& object) {
      Ref<List> list = all_.list();
      list->extend(object);
      return list;
    });
    unary("set", [this](Object& object) {
      Ref<Set> set = all_.set();
      set->update(object);
      return set;
    });
    unary("frozenset", [this](Object& object) { return all_.frozenset_of(object); });
    unary("keys_view", [](Object& object) { return static_cast<Dict&>(object).keys(); });
    unary("values_view", [](Object& object) { return static_cast<Dict&>(object).values(); });
    unary("items_view", [](Object& object) { return static_cast<Dict&>(object).items(); });
    // A set's order is its own: the reprs of its items, in order.
    unary("canon", [this](Object& object) {
      std::vector<std::string> shown;
      for (const Ref<Object>& item : each(object)) {
        shown.push_back(repr(*item));
      }
      std::sort(shown.begin(), shown.end());
      Ref<List> list = all_.list();
      for (const std::string& text : shown) {
        list->append(all_.string(text));
      }
      return list;
    });
    unary("items", [](Object& object) { return static_cast<Dict&>(object).iterate_items(); });
    unary("values", [](Object& object) { return static_cast<Dict&>(object).iterate_values(); });
    unary("sort", [](Object& object) {
      static_cast<List&>(object).sort();
      return Ref<Object>(share, &object);
    });
    unary("reverse", [](Object& object) {
      static_cast<List&>(object).reverse();
      return Ref<Object>(share, &object);
    });
    unary("attributes", [](Object& object) { return static_cast<Instance&>(object).attributes(); });
    unary("popitem", [](Object& object) { return static_cast<Dict&>(object).pop_item(); });
    const auto compare = [&](const char* name, CompareOperator comparison) {
      operations_[name] = [this, comparison] {
        const Ref<Object> right = pop();
        const Ref<Object> left = pop();
        push(all_.boolean(rich_compare(*left, *right, comparison)));
      };
    };
    compare("lt", CompareOperator::less);
    compare("le", CompareOperator::less_equal);
    compare("eq", CompareOperator::equal);
    compare("ne", CompareOperator::not_equal);
    compare("gt", CompareOperator::greater);
    compare("ge", CompareOperator::greater_equal);
    operations_["in"] = [this] {
      const Ref<Object> container = pop();
      const Ref<Object> item = pop();
      push(all_.boolean(contains(*container, *item)));
    };
    operations_["drop"] = [this] { (void)pop(); };
    operations_["dup"] = [this] { push(stack_.back()); };
    operations_["find"] = [this] {
      const Ref<Str> part = cast<Str>(pop());
      const Ref<Str> text = cast<Str>(pop());
      push(all_.integer(text->find(*part)));
    };
    operations_["join"] = [this] {
      const Ref<List> parts = cast<List>(pop());
      const Ref<Str> between = cast<Str>(pop());
      push(between->join_all(*parts));
    };
    operations_["append"] = [this] {
      const Ref<Object> item = pop();
      static_cast<List&>(*stack_.back()).append(item);
    };
    operations_["extend"] = [this] {
      const Ref<Object> source = pop();
      static_cast<List&>(*stack_.back()).extend(*source);
    };
    operations_["remove"] = [this] {
      const Ref<Object> item = pop();
      static_cast<List&>(*stack_.back()).remove(*item);
    };
    operations_["set_item"] = [this] {
      const Ref<Object> value = pop();
      const Ref<Object> key = pop();
      static_cast<Dict&>(*stack_.back()).set(key, value);
    };
    operations_["del_item"] = [this] {
      const Ref<Object> key = pop();
      static_cast<Dict&>(*stack_.back()).erase(*key);
    };
    operations_["update"] = [this] {
      const Ref<Object> other = pop();
      static_cast<Dict&>(*stack_.back()).update(static_cast<Dict&>(*other));
    };
    operations_["instance"] = [this] { push(all_.instance(thing_)); };
    operations_["set_attr"] = [this] {
      const Ref<Object> value = pop();
      const Ref<Str> name = cast<Str>(pop());
      static_cast<Instance&>(*stack_.back()).set_attribute(*name, value);
      static_cast<Instance&>(*stack_.back()).verify();
    };
    operations_["del_attr"] = [this] {
      const Ref<Str> name = cast<Str>(pop());
      static_cast<Instance&>(*stack_.back()).delete_attribute(*name);
      static_cast<Instance&>(*stack_.back()).verify();
    };
    operations_["get_attr"] = [this] {
      const Ref<Str> name = cast<Str>(pop());
      push(static_cast<Instance&>(*pop()).attribute(*name));
    };
    operations_["add"] = [this] {
      const Ref<Object> item = pop();
      (void)static_cast<Set&>(*stack_.back()).add(item);
    };
    operations_["discard"] = [this] {
      const Ref<Object> item = pop();
      (void)static_cast<Set&>(*stack_.back()).discard(*item);
    };
  }

  std::string evaluate(const std::string& line) {
    stack_.clear();
    try {
      std::istringstream words(line);
      for (std::string word; words >> word;) {
        step(word);
      }
      return repr(*stack_.back());
    } catch (const Error& error) {
      return std::string("!") + error.name() + ": " + error.what();
    } catch (const std::bad_alloc&) {
      return "!MemoryError: ";
    }
  }

 private:
  void push(Ref<Object> object) { stack_.push_back(std::move(object)); }
  Ref<Object> pop() {
    Ref<Object> top = std::move(stack_.back());
    stack_.pop_back();
    return top;
  }
  std::vector<Ref<Object>> take(std::size_t count) {
    std::vector<Ref<Object>> taken(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return taken;
  }

  static std::string from_hex(const std::string& text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
      bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    return bytes;
  }

  // "slice:start:stop:step", "set_slice:…", "del_slice:…": numbers, or nothing.
  static Slice slice_of(const std::string& text) {
    std::istringstream parts(text);
    Slice slice;
    std::string part;
    std::getline(parts, part, ':');
    const auto number = [&](auto otherwise) -> decltype(otherwise) {
      return std::getline(parts, part, ':') && !part.empty() ? decltype(otherwise)(std::stoll(part))
                                                             : otherwise;
    };
    slice.start = number(std::optional<Index>());
    slice.stop = number(std::optional<Index>());
    slice.step = number(Index{1});
    return slice;
  }

  void step(const std::string& word) {
    if (const auto found = operations_.find(word); found != operations_.end()) {
      found->second();
      return;
    }
    const std::string rest = word.substr(1);
    if (word.starts_with("slice:")) {
      const Ref<Object> sequence = pop();
      const Slice slice = slice_of(word);
      push(is<Str>(*sequence)     ? Ref<Object>(static_cast<Str&>(*sequence).slice(slice))
           : is<Bytes>(*sequence) ? Ref<Object>(static_cast<Bytes&>(*sequence).slice(slice))
           : is<Tuple>(*sequence) ? Ref<Object>(static_cast<Tuple&>(*sequence).slice(slice))
                                  : Ref<Object>(static_cast<List&>(*sequence).slice(slice)));
    } else if (word.starts_with("set_slice:")) {
      const Ref<Object> source = pop();
      static_cast<List&>(*stack_.back()).set_slice(slice_of(word), *source);
    } else if (word.starts_with("del_slice:")) {
      static_cast<List&>(*stack_.back()).erase_slice(slice_of(word));
    } else if (word.starts_with("insert:")) {
      const Ref<Object> item = pop();
      static_cast<List&>(*stack_.back()).insert(std::stoll(word.substr(7)), item);
    } else if (word.starts_with("pop:")) {
      (void)static_cast<List&>(*stack_.back()).pop(std::stoll(word.substr(4)));
    } else {
      make(word[0], rest);
    }
  }

  void make(char kind, const std::string& rest) {
    switch (kind) {
      case 'N':
        return push(all_.none());
      case 'T':
        return push(all_.boolean(true));
      case 'F':
        return push(all_.boolean(false));
      case 'i':
        return push(Int::parse(all_, rest));
      case 'f':
        return push(all_.floating(std::strtod(rest.c_str(), nullptr)));
      case 's':
        return push(all_.string(from_hex(rest)));
      case 'b':
        return push(all_.bytes(from_hex(rest)));
      case 't':
        return push(all_.tuple(take(std::stoul(rest))));
      case 'l':
        return push(all_.list(take(std::stoul(rest))));
      case 'S': {
        Ref<Set> set = all_.set();
        for (Ref<Object>& item : take(std::stoul(rest))) {
          (void)set->add(item);
        }
        return push(set);
      }
      case 'd': {
        const std::vector<Ref<Object>> pairs = take(2 * std::stoul(rest));
        Ref<Dict> dict = all_.dict();
        for (std::size_t i = 0; i < pairs.size(); i += 2) {
          dict->set(pairs[i], pairs[i + 1]);
        }
        return push(dict);
      }
      default:
        std::cerr << "calculator: there is no operation '" << kind << rest << "'\n";
        std::exit(2);
    }
  }

  Builtins& all_;
  Type& thing_ = all_.define_class("Thing");
  std::vector<Ref<Object>> stack_;
  std::map<std::string, std::function<void()>> operations_;
};

}  // namespace

int main() {
  tarn::ObjectHeap heap;
  {
    tarn::BuiltinsOptions options;
    if (const char* const seed = std::getenv("PYTHONHASHSEED")) {
      options.hash_seed = static_cast<std::uint32_t>(std::strtoul(seed, nullptr, 10));
    }
    tarn::Builtins builtins(heap, options);
    Calculator calculator(builtins);
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << calculator.evaluate(line) << '\n';
    }
  }
  heap.verify();
}
