#include "scanner.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lox {
namespace {

constexpr std::array<std::pair<std::string_view, TokenKind>, 16> keywords{{
    {"and", TokenKind::keyword_and},
    {"class", TokenKind::keyword_class},
    {"else", TokenKind::keyword_else},
    {"false", TokenKind::keyword_false},
    {"for", TokenKind::keyword_for},
    {"fun", TokenKind::keyword_fun},
    {"if", TokenKind::keyword_if},
    {"nil", TokenKind::keyword_nil},
    {"or", TokenKind::keyword_or},
    {"print", TokenKind::keyword_print},
    {"return", TokenKind::keyword_return},
    {"super", TokenKind::keyword_super},
    {"this", TokenKind::keyword_this},
    {"true", TokenKind::keyword_true},
    {"var", TokenKind::keyword_var},
    {"while", TokenKind::keyword_while},
}};

// Not <cctype>'s, which ask the locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool starts_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

void Scanner::skip_blanks() {
  while (!rest_.empty()) {
    const char c = rest_.front();
    if (c == '/' && peek(1) == '/') {
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      line_ += c == '\n';
      rest_.remove_prefix(1);
    } else {
      return;
    }
  }
}

Token Scanner::take(TokenKind kind, std::size_t length) {
  const Token token{kind, rest_.substr(0, length), line_};
  rest_.remove_prefix(length);
  return token;
}

Token Scanner::take_if_equal_follows(TokenKind with_equal, TokenKind without) {
  return peek(1) == '=' ? take(with_equal, 2) : take(without, 1);
}

Token Scanner::string() {
  const std::size_t quote = rest_.find('"', 1);
  const std::size_t length = quote == std::string_view::npos ? rest_.size() : quote + 1;
  line_ += static_cast<int>(
      std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(length), '\n'));
  if (quote != std::string_view::npos) {
    return take(TokenKind::string, length);
  }
  rest_ = {};
  return {TokenKind::error, "Unterminated string.", line_};
}

Token Scanner::number() {
  std::size_t length = 1;
  while (is_digit(peek(length))) {
    ++length;
  }
  if (peek(length) == '.' && is_digit(peek(length + 1))) {
    ++length;
    while (is_digit(peek(length))) {
      ++length;
    }
  }
  return take(TokenKind::number, length);
}

Token Scanner::word() {
  std::size_t length = 1;
  while (starts_word(peek(length)) || is_digit(peek(length))) {
    ++length;
  }
  const std::string_view text = rest_.substr(0, length);
  const auto* const found =
      std::find_if(keywords.begin(), keywords.end(),
                   [text](const auto& keyword) { return keyword.first == text; });
  return take(found == keywords.end() ? TokenKind::identifier : found->second, length);
}

Token Scanner::next() {
  skip_blanks();
  if (rest_.empty()) {
    return {TokenKind::end, {}, line_};
  }
  const char c = rest_.front();
  if (starts_word(c)) {
    return word();
  }
  if (is_digit(c)) {
    return number();
  }
  switch (c) {
    case '(':
      return take(TokenKind::left_paren, 1);
    case ')':
      return take(TokenKind::right_paren, 1);
    case '{':
      return take(TokenKind::left_brace, 1);
    case '}':
      return take(TokenKind::right_brace, 1);
    case ';':
      return take(TokenKind::semicolon, 1);
    case ',':
      return take(TokenKind::comma, 1);
    case '.':
      return take(TokenKind::dot, 1);
    case '-':
      return take(TokenKind::minus, 1);
    case '+':
      return take(TokenKind::plus, 1);
    case '/':
      return take(TokenKind::slash, 1);
    case '*':
      return take(TokenKind::star, 1);
    case '!':
      return take_if_equal_follows(TokenKind::bang_equal, TokenKind::bang);
    case '=':
      return take_if_equal_follows(TokenKind::equal_equal, TokenKind::equal);
    case '<':
      return take_if_equal_follows(TokenKind::less_equal, TokenKind::less);
    case '>':
      return take_if_equal_follows(TokenKind::greater_equal, TokenKind::greater);
    case '"':
      return string();
    default:
      break;
  }
  rest_.remove_prefix(1);
  return {TokenKind::error, "Unexpected character.", line_};
}

}  // namespace lox
