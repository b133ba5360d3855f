#include "integrations/python/snapshot_values.h"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "integrations/python/cpython.h"
#include "integrations/python/hook.h"
#include "integrations/python/snapshot_guard.h"
#include "integrations/python/snapshot_stream.h"

namespace tarn::python {

namespace {

constexpr char mark_of_cut[] = "\u2026";  // …

// An int's struct from its type on: up to 3.11 the number of its digits with its sign, later a tag. No other field has moved
// since 3.8, nor a digit's 30 bits where pointers have 64.
struct LongView {
  std::uint64_t refcount;
  std::uint64_t type;
  std::int64_t size_or_tag;
  std::uint32_t digits[1];
};
constexpr std::size_t bits_of_digit = 30;

struct FloatView {
  std::uint64_t refcount;
  std::uint64_t type;
  double value;
};

// What could change a line, a terminal or the direction of what follows is escaped, and so are surrogates. repr escapes
// whatever isn't printable; this much of it isn't guessed.
bool is_shown(std::uint32_t code) noexcept {
  const bool is_control = code < 0x20 || (code >= 0x7F && code <= 0xA0) || code == 0xAD;
  const bool is_format = (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
                         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
  return !is_control && !is_format && (code < 0xD800 || code > 0xF8FF) &&
         (code < 0xFFF0 || code > 0xFFFF) && code < 0xE0000;
}

std::size_t encode(std::uint32_t code, char (&bytes)[8]) noexcept {
  if (code < 0x80) {
    bytes[0] = static_cast<char>(code);
    return 1;
  }
  const std::size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (std::size_t i = length - 1; i != 0; --i) {
    bytes[i] = static_cast<char>(0x80U | (code & 0x3FU));
    code >>= 6;
  }
  constexpr std::uint32_t first[] = {0, 0, 0xC0, 0xE0, 0xF0};
  bytes[0] = static_cast<char>(first[length] | code);
  return length;
}

// True: `code` is written otherwise than as it is.
bool add_escaped(ShortText& text, std::uint32_t code, char quote) noexcept {
  char sequence[3] = {'\\', '\0', '\0'};
  switch (code) {
    case '\n':
      sequence[1] = 'n';
      break;
    case '\r':
      sequence[1] = 'r';
      break;
    case '\t':
      sequence[1] = 't';
      break;
    case '\\':
      sequence[1] = '\\';
      break;
    default:
      if (code != static_cast<unsigned char>(quote)) {
        return false;
      }
      sequence[1] = quote;
  }
  text.add(sequence, 2, 2);
  return true;
}

// The quote that repr chooses. `at(i)` is a character; one that lies behind what is shown plays no part.
template <typename At>
char quote_for(std::size_t length, At at) noexcept {
  bool has_single = false;
  bool has_double = false;
  for (std::size_t i = 0; i < length && i < ShortText::most_characters; ++i) {
    has_single = has_single || at(i) == '\'';
    has_double = has_double || at(i) == '"';
  }
  return has_single && !has_double ? '"' : '\'';
}

void add_str(ShortText& text, PyObject* object) noexcept {
  const auto length = static_cast<std::size_t>(PyUnicode_GetLength(object));
  const auto at = [object](std::size_t i) {
    return PyUnicode_ReadChar(object, static_cast<std::ptrdiff_t>(i));
  };
  const char quote = quote_for(length, at);
  text.add(&quote, 1, 1);
  for (std::size_t i = 0; i < length && !text.is_cut(); ++i) {
    text.add_code_point(at(i), quote);
  }
  text.add(&quote, 1, 1);
}

void add_bytes(ShortText& text, PyObject* object) noexcept {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(PyBytes_AsString(object));
  const auto length = static_cast<std::size_t>(PyBytes_Size(object));
  const char quote = quote_for(length, [bytes](std::size_t i) { return bytes[i]; });
  text.add("b");
  text.add(&quote, 1, 1);
  for (std::size_t i = 0; i < length && !text.is_cut(); ++i) {
    text.add_byte(bytes[i], quote);
  }
  text.add(&quote, 1, 1);
}

void add_int(ShortText& text, const LongView& view) noexcept {
  const std::int64_t number = view.size_or_tag;
  if (hook.version.minor >= 12) {
    constexpr std::uint64_t sign = 3;
    constexpr std::uint64_t negative = 2;
    const auto tag = static_cast<std::uint64_t>(number);
    add_int(text, view.digits, static_cast<std::size_t>(tag >> 3), (tag & sign) == negative);
  } else {
    add_int(text, view.digits, static_cast<std::size_t>(number < 0 ? -number : number), number < 0);
  }
}

// A number's first digits, the one before the point first, and the power of ten that they stand at.
struct Decimal {
  static constexpr int most_digits = 17;
  char digits[most_digits + 1];
  int count;
  int exponent;
};

// The shortest digits that lead back to the number. Fifteen always do if any fewer do, but for the smallest numbers, which have
// fewer bits. The C library's decimal point is the program's locale's: it's passed over.
Decimal shortest_decimal(double value) noexcept {
  char written[48];
  for (int digits = std::fpclassify(value) == FP_NORMAL ? 15 : 1; digits <= Decimal::most_digits;
       ++digits) {
    std::snprintf(written, sizeof(written), "%.*e", digits - 1, value);
    if (std::strtod(written, nullptr) == value) {
      break;
    }
  }
  Decimal decimal = {};
  const char* at = written;
  for (; *at != 'e' && *at != '\0'; ++at) {
    if (*at >= '0' && *at <= '9' && decimal.count < Decimal::most_digits) {
      decimal.digits[decimal.count++] = *at;
    }
  }
  decimal.exponent = *at == 'e' ? std::atoi(at + 1) : 0;
  while (decimal.count > 1 && decimal.digits[decimal.count - 1] == '0') {
    --decimal.count;
  }
  return decimal;
}

// Places of ten from the highest down; there is one behind the point in any case.
void add_fixed(ShortText& text, const Decimal& decimal) noexcept {
  const int first = decimal.exponent < 0 ? 0 : decimal.exponent;
  const int of_last_digit = decimal.exponent - decimal.count + 1;
  const int last = of_last_digit < -1 ? of_last_digit : -1;
  for (int place = first; place >= last; --place) {
    if (place == -1) {
      text.add(".");
    }
    const int index = decimal.exponent - place;
    const char digit = index >= 0 && index < decimal.count ? decimal.digits[index] : '0';
    text.add(&digit, 1, 1);
  }
}

void add_scientific(ShortText& text, const Decimal& decimal) noexcept {
  text.add(decimal.digits, 1, 1);
  if (decimal.count > 1) {
    text.add(".");
  }
  for (int i = 1; i < decimal.count; ++i) {
    text.add(decimal.digits + i, 1, 1);
  }
  char exponent[16];
  std::snprintf(exponent, sizeof(exponent), "e%+03d", decimal.exponent);
  text.add(exponent);
}

// False: it's of none of these types.
bool describe(ShortText& text, PyObject* object) noexcept {
  const auto* const type = reinterpret_cast<PyObject* const*>(object)[1];
  if (object == &_Py_NoneStruct) {
    text.add("None");
  } else if (type == &PyBool_Type) {
    text.add(object == &_Py_TrueStruct ? "True" : "False");
  } else if (type == &PyUnicode_Type) {
    add_str(text, object);
  } else if (type == &PyBytes_Type) {
    add_bytes(text, object);
  } else if (type == &PyLong_Type) {
    add_int(text, *reinterpret_cast<const LongView*>(object));
  } else if (type == &PyFloat_Type) {
    add_float(text, reinterpret_cast<const FloatView*>(object)->value);
  } else {
    return false;
  }
  return true;
}

}  // namespace

void ShortText::add(const char* unit, std::size_t size, std::size_t characters) noexcept {
  if (is_cut_) {
    return;
  }
  if (characters_ + characters > most_characters || length_ + size > most_bytes) {
    is_cut_ = true;
    length_ = cut_at_;
    std::memcpy(bytes_ + length_, mark_of_cut, sizeof(mark_of_cut) - 1);
    length_ += sizeof(mark_of_cut) - 1;
    return;
  }
  std::memcpy(bytes_ + length_, unit, size);
  length_ += size;
  characters_ += characters;
  if (characters_ < most_characters) {
    cut_at_ = length_;
  }
}

void ShortText::add(const char* ascii) noexcept {
  for (; *ascii != '\0'; ++ascii) {
    add(ascii, 1, 1);
  }
}

void ShortText::add_code_point(std::uint32_t code, char quote) noexcept {
  if (add_escaped(*this, code, quote)) {
    return;
  }
  char bytes[16];
  if (is_shown(code)) {
    char encoded[8];
    add(encoded, encode(code, encoded), 1);
    return;
  }
  const int length = code < 0x100     ? std::snprintf(bytes, sizeof(bytes), "\\x%02x", code)
                     : code < 0x10000 ? std::snprintf(bytes, sizeof(bytes), "\\u%04x", code)
                                      : std::snprintf(bytes, sizeof(bytes), "\\U%08x", code);
  add(bytes, static_cast<std::size_t>(length), static_cast<std::size_t>(length));
}

void ShortText::add_byte(unsigned char byte, char quote) noexcept {
  if (add_escaped(*this, byte, quote)) {
    return;
  }
  if (byte >= 0x20 && byte < 0x7F) {
    const char letter = static_cast<char>(byte);
    add(&letter, 1, 1);
    return;
  }
  char bytes[8];
  std::snprintf(bytes, sizeof(bytes), "\\x%02x", byte);
  add(bytes, 4, 4);
}

void add_float(ShortText& text, double value) noexcept {
  if (std::isnan(value) || std::isinf(value)) {
    text.add(std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    return;
  }
  if (std::signbit(value)) {
    text.add("-");
  }
  const Decimal decimal = shortest_decimal(std::fabs(value));
  constexpr int least_fixed = -4;
  constexpr int first_scientific = 16;
  if (decimal.exponent >= least_fixed && decimal.exponent < first_scientific) {
    add_fixed(text, decimal);
  } else {
    add_scientific(text, decimal);
  }
}

// What has more decimal digits than are shown is only counted.
void add_int(ShortText& text, const std::uint32_t* digits, std::size_t count,
             bool is_negative) noexcept {
  constexpr std::size_t most_digits = 4;  // 120 bits: 37 characters and a sign
  if (count > most_digits) {
    const std::uint32_t top = digits[count - 1];
    const std::size_t bits = bits_of_digit * (count - 1) +
                             (top == 0 ? 0 : 32U - static_cast<unsigned>(__builtin_clz(top)));
    char words[48];
    std::snprintf(words, sizeof(words), "<int of %zu bits>", bits);
    text.add(words);
    return;
  }
  std::uint64_t left[most_digits] = {};
  std::size_t used = count;
  for (std::size_t i = 0; i < count; ++i) {
    left[i] = digits[i];
  }
  char decimal[48];
  std::size_t at = sizeof(decimal);
  decimal[--at] = '\0';
  do {
    std::uint64_t rest = 0;
    for (std::size_t i = used; i-- != 0;) {
      const std::uint64_t whole = rest << bits_of_digit | left[i];
      left[i] = whole / 10;
      rest = whole % 10;
    }
    while (used != 0 && left[used - 1] == 0) {
      --used;
    }
    decimal[--at] = static_cast<char>('0' + rest);
  } while (used != 0);
  if (is_negative) {
    decimal[--at] = '-';
  }
  text.add(decimal + at);
}

void write_values(SnapshotObjects& objects) noexcept {
  objects.for_each([](std::uint64_t block, std::uint64_t object) {
    static constinit ShortText text;
    static constinit bool has_text = false;
    text = ShortText();
    has_text = false;
    const bool is_readable =
        guarded([&] { has_text = describe(text, reinterpret_cast<PyObject*>(object)); });
    if (!is_readable && guard_signal == SIGALRM) {
      ::_exit(128 + SIGALRM);  // the copy's time is up, whatever was being looked at
    }
    if (is_readable && has_text) {
      const sight::ValueRecord record = {block};
      snapshot_stream.record(sight::RecordKind::value, &record, sizeof(record), text.begin(),
                             text.length());
    }
  });
}

}  // namespace tarn::python
