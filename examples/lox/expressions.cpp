#include "parser.h"

#include <cstdlib>
#include <string>

namespace lox {

Compiler::Rule Compiler::rule(TokenKind kind) {
  using P = Precedence;
  switch (kind) {
    case TokenKind::left_paren:
      return {&Compiler::grouping, &Compiler::call, P::call};
    case TokenKind::dot:
      return {nullptr, &Compiler::dot, P::call};
    case TokenKind::minus:
      return {&Compiler::unary, &Compiler::binary, P::term};
    case TokenKind::plus:
      return {nullptr, &Compiler::binary, P::term};
    case TokenKind::slash:
    case TokenKind::star:
      return {nullptr, &Compiler::binary, P::factor};
    case TokenKind::bang:
      return {&Compiler::unary, nullptr, P::none};
    case TokenKind::bang_equal:
    case TokenKind::equal_equal:
      return {nullptr, &Compiler::binary, P::equality};
    case TokenKind::greater:
    case TokenKind::greater_equal:
    case TokenKind::less:
    case TokenKind::less_equal:
      return {nullptr, &Compiler::binary, P::comparison};
    case TokenKind::identifier:
      return {&Compiler::variable, nullptr, P::none};
    case TokenKind::string:
      return {&Compiler::string, nullptr, P::none};
    case TokenKind::number:
      return {&Compiler::number, nullptr, P::none};
    case TokenKind::keyword_and:
      return {nullptr, &Compiler::and_expression, P::logical_and};
    case TokenKind::keyword_or:
      return {nullptr, &Compiler::or_expression, P::logical_or};
    case TokenKind::keyword_false:
    case TokenKind::keyword_nil:
    case TokenKind::keyword_true:
      return {&Compiler::literal, nullptr, P::none};
    case TokenKind::keyword_this:
      return {&Compiler::this_expression, nullptr, P::none};
    case TokenKind::keyword_super:
      return {&Compiler::super_expression, nullptr, P::none};
    default:
      return {nullptr, nullptr, P::none};
  }
}

void Compiler::expression() {
  if (expression_nesting_ == 0) {
    scope_->expression_start = scope_->code.size();
  }
  ++expression_nesting_;
  parse(Precedence::assignment);
  --expression_nesting_;
}

void Compiler::parse(Precedence precedence) {
  Nesting nesting(*this);
  if (nesting.too_deep()) {
    return;
  }
  advance();
  const Rule prefix = rule(previous_.kind);
  if (prefix.prefix == nullptr) {
    error("Expect expression.");
    return;
  }
  const bool can_assign = precedence <= Precedence::assignment;
  (this->*prefix.prefix)(can_assign);
  for (;;) {
    const Rule infix = rule(current_.kind);
    if (precedence > infix.precedence || infix.infix == nullptr) {
      break;
    }
    advance();
    (this->*infix.infix)(can_assign);
  }
  if (can_assign && match(TokenKind::equal)) {
    error("Invalid assignment target.");
  }
}

void Compiler::grouping(bool) {
  expression();
  consume(TokenKind::right_paren, "Expect ')' after expression.");
}

void Compiler::constant(Value value) {
  if (++scope_->literals > literals_max) {
    error("Too many constants in one chunk.");
  }
  code().constant(value);
}

void Compiler::number(bool) {
  constant(Value::number(std::strtod(std::string(previous_.text).c_str(), nullptr)));
}

void Compiler::string_constant(std::string_view text) {
  tarn::Ref<String> string = machine_.intern(text);
  const Value value = Value::borrowed(string.get());
  auto& constants = scope_->function->constants;
  // The same text is the same object, and needs no second count.
  if (constants.empty() || constants.back().get() != string.get()) {
    constants.emplace_back(std::move(string));
  }
  constant(value);
}

void Compiler::string(bool) {
  string_constant(previous_.text.substr(1, previous_.text.size() - 2));
}

void Compiler::literal(bool) {
  switch (previous_.kind) {
    case TokenKind::keyword_nil:
      code().constant(Value::nil());
      break;
    case TokenKind::keyword_true:
      code().constant(Value::boolean(true));
      break;
    default:
      code().constant(Value::boolean(false));
      break;
  }
}

void Compiler::named_variable(std::string_view name, bool can_assign) {
  const std::size_t start = scope_->code.size();
  const int local = find_local(*scope_, name);
  const int upvalue = local < 0 ? find_upvalue(*scope_, name) : -1;
  const bool assigns = can_assign && match(TokenKind::equal);
  if (assigns) {
    expression();
  }
  if (local >= 0) {
    const auto slot = static_cast<std::uint8_t>(local);
    if (assigns) {
      scope_->code.own_local_reads(slot, scope_->expression_start, start);
      code().write8(Opcode::set_local, slot, 0);
    } else {
      code().local(slot, scope_->locals[slot].captured);
    }
  } else if (upvalue >= 0) {
    const auto index = static_cast<std::uint8_t>(upvalue);
    code().write8(assigns ? Opcode::set_upvalue : Opcode::upvalue, index, assigns ? 0 : 1);
  } else {
    code().write16(assigns ? Opcode::set_global : Opcode::global, global(name), assigns ? 0 : 1);
  }
}

void Compiler::variable(bool can_assign) { named_variable(previous_.text, can_assign); }

void Compiler::this_expression(bool) {
  if (class_ == nullptr) {
    error("Can't use 'this' outside of a class.");
    return;
  }
  named_variable("this", false);
}

void Compiler::super_expression(bool) {
  if (class_ == nullptr) {
    error("Can't use 'super' outside of a class.");
  } else if (!class_->has_superclass) {
    error("Can't use 'super' in a class with no superclass.");
  }
  consume(TokenKind::dot, "Expect '.' after 'super'.");
  consume(TokenKind::identifier, "Expect superclass method name.");
  const std::uint16_t name = name_index(previous_.text);
  if (class_ == nullptr) {
    return;
  }
  named_variable("this", false);
  // The class lies in a local variable around the methods, so every function in them has it as an upvalue.
  const auto upvalue = static_cast<std::uint8_t>(std::max(0, find_upvalue(*scope_, "super")));
  if (match(TokenKind::left_paren)) {
    const std::uint8_t count = arguments();
    code().invoke_super(name, count, upvalue);
  } else {
    code().write16(Opcode::get_super, name, 0);
    code().byte(upvalue);
  }
}

void Compiler::unary(bool) {
  const TokenKind operation = previous_.kind;
  parse(Precedence::unary);
  code().write(operation == TokenKind::minus ? Opcode::negate : Opcode::invert, 0);
}

void Compiler::binary(bool) {
  const TokenKind operation = previous_.kind;
  parse(above(rule(operation).precedence));
  switch (operation) {
    case TokenKind::bang_equal:
      code().binary(Opcode::not_equal);
      break;
    case TokenKind::equal_equal:
      code().binary(Opcode::equal);
      break;
    case TokenKind::greater:
      code().binary(Opcode::greater);
      break;
    case TokenKind::greater_equal:
      code().binary(Opcode::greater_equal);
      break;
    case TokenKind::less:
      code().binary(Opcode::less);
      break;
    case TokenKind::less_equal:
      code().binary(Opcode::less_equal);
      break;
    case TokenKind::plus:
      code().binary(Opcode::add);
      break;
    case TokenKind::minus:
      code().binary(Opcode::subtract);
      break;
    case TokenKind::star:
      code().binary(Opcode::multiply);
      break;
    default:
      code().binary(Opcode::divide);
      break;
  }
}

void Compiler::and_expression(bool) {
  const std::size_t end = code().jump(Opcode::jump_if_false);
  const std::size_t start = scope_->code.nominal_size();
  code().pop();
  parse(Precedence::logical_and);
  land(end, start);
}

void Compiler::or_expression(bool) {
  const std::size_t end = code().jump(Opcode::jump_if_true);
  const std::size_t start = scope_->code.nominal_size();
  code().pop();
  parse(Precedence::logical_or);
  land(end, start);
}

std::uint8_t Compiler::arguments() {
  int count = 0;
  if (!check(TokenKind::right_paren)) {
    do {
      expression();
      if (++count > parameters_max) {
        error("Can't have more than 255 arguments.");
      }
    } while (match(TokenKind::comma));
  }
  consume(TokenKind::right_paren, "Expect ')' after arguments.");
  return static_cast<std::uint8_t>(count);
}

void Compiler::call(bool) {
  const std::uint8_t count = arguments();
  code().call(count);
}

void Compiler::dot(bool can_assign) {
  consume(TokenKind::identifier, "Expect property name after '.'.");
  const std::string_view text = previous_.text;
  const std::uint16_t name = name_index(text);
  if (can_assign && match(TokenKind::equal)) {
    const bool has_this =
        scope_->kind == FunctionKind::method || scope_->kind == FunctionKind::initializer;
    const bool on_this = has_this && scope_->code.take_back_this();
    if (on_this && class_ != nullptr) {
      class_->fields.insert(text);
    }
    expression();
    code().write16(on_this ? Opcode::set_this_property : Opcode::set_property, name,
                   on_this ? 0 : -1);
  } else if (match(TokenKind::left_paren)) {
    const std::uint8_t count = arguments();
    code().invoke(name, count);
  } else {
    code().get_property(name);
  }
}

}  // namespace lox
