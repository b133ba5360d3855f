// Source text to tokens, one at a time. Tokens are views of the source, which must outlive them.
#pragma once

#include <cstdint>
#include <string_view>

namespace lox {

enum class TokenKind : std::uint8_t {
  left_paren,
  right_paren,
  left_brace,
  right_brace,
  comma,
  dot,
  minus,
  plus,
  semicolon,
  slash,
  star,
  bang,
  bang_equal,
  equal,
  equal_equal,
  greater,
  greater_equal,
  less,
  less_equal,
  identifier,
  string,
  number,
  keyword_and,
  keyword_class,
  keyword_else,
  keyword_false,
  keyword_for,
  keyword_fun,
  keyword_if,
  keyword_nil,
  keyword_or,
  keyword_print,
  keyword_return,
  keyword_super,
  keyword_this,
  keyword_true,
  keyword_var,
  keyword_while,
  error,  // the text is the message
  end,
};
inline constexpr int token_kinds = static_cast<int>(TokenKind::end) + 1;

struct Token {
  TokenKind kind;
  std::string_view text;
  int line;
};

class Scanner {
 public:
  explicit Scanner(std::string_view source) : rest_(source) {}
  Token next();

 private:
  char peek(std::size_t ahead = 0) const { return ahead < rest_.size() ? rest_[ahead] : '\0'; }
  void skip_blanks();
  Token take(TokenKind kind, std::size_t length);
  Token take_if_equal_follows(TokenKind with_equal, TokenKind without);
  Token string();
  Token number();
  Token word();

  std::string_view rest_;
  int line_ = 1;
};

}  // namespace lox
