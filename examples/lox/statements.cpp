#include "parser.h"

namespace lox {

tarn::Ref<Function> Compiler::script() {
  FunctionScope scope;
  begin_function(scope, FunctionKind::script, {});
  advance();
  while (!match(TokenKind::end)) {
    declaration();
  }
  tarn::Ref<Function> function = end_function();
  return had_error_ ? nullptr : std::move(function);
}

void Compiler::declaration() {
  Nesting nesting(*this);
  if (nesting.too_deep()) {
    return;
  }
  if (match(TokenKind::keyword_class)) {
    class_declaration();
  } else if (match(TokenKind::keyword_fun)) {
    function_declaration();
  } else if (match(TokenKind::keyword_var)) {
    variable_declaration();
  } else {
    statement();
  }
  if (panicking_) {
    synchronize();
  }
}

void Compiler::class_declaration() {
  consume(TokenKind::identifier, "Expect class name.");
  const std::string_view name = previous_.text;
  declare_local(name);
  code().write16(Opcode::make_class, name_index(name), 1);
  const std::size_t field_count = scope_->code.size();
  code().half(0);
  define_variable(name);

  ClassScope scope{class_, false, {}};
  class_ = &scope;
  if (match(TokenKind::less)) {
    consume(TokenKind::identifier, "Expect superclass name.");
    variable(false);
    if (previous_.text == name) {
      error("A class can't inherit from itself.");
    }
    code().own();
    begin_block();
    add_local("super");
    mark_readable();
    named_variable(name, false);
    code().write(Opcode::inherit, -1);
    scope.has_superclass = true;
  }
  named_variable(name, false);
  consume(TokenKind::left_brace, "Expect '{' before class body.");
  while (!check(TokenKind::right_brace) && !check(TokenKind::end)) {
    method();
  }
  consume(TokenKind::right_brace, "Expect '}' after class body.");
  scope_->code.patch16(
      field_count, static_cast<std::uint16_t>(std::min<std::size_t>(scope.fields.size(), 0xffff)));
  code().pop();
  if (scope.has_superclass) {
    end_block();
  }
  class_ = scope.enclosing;
}

void Compiler::method() {
  consume(TokenKind::identifier, "Expect method name.");
  const std::string_view name = previous_.text;
  const std::uint16_t index = name_index(name);
  function(name == "init" ? FunctionKind::initializer : FunctionKind::method, name);
  code().write16(Opcode::method, index, -1);
}

void Compiler::function_declaration() {
  const std::string_view name = variable_name("Expect function name.");
  mark_readable();  // it may call itself
  function(FunctionKind::function, name);
  define_variable(name);
}

void Compiler::function(FunctionKind kind, std::string_view name) {
  FunctionScope scope;
  begin_function(scope, kind, name);
  begin_block();
  consume(TokenKind::left_paren, "Expect '(' after function name.");
  int arity = 0;
  if (!check(TokenKind::right_paren)) {
    do {
      if (++arity > parameters_max) {
        error_at(current_, "Can't have more than 255 parameters.");
      }
      variable_name("Expect parameter name.");
      mark_readable();
    } while (match(TokenKind::comma));
  }
  scope.code.set_depth(1 + arity);
  scope.function->arity = static_cast<std::uint8_t>(arity);
  consume(TokenKind::right_paren, "Expect ')' after parameters.");
  consume(TokenKind::left_brace, "Expect '{' before function body.");
  block();
  const tarn::Ref<Function> done = end_function();

  const std::size_t index = scope_->function->functions.size();
  if (index > 0xffff) {
    error("Too many functions in function.");
  }
  scope_->function->functions.emplace_back(done);
  code().write16(Opcode::closure, static_cast<std::uint16_t>(index), 1);
  for (const Capture& upvalue : scope.upvalues) {
    code().byte(upvalue.is_local ? 1 : 0);
    code().byte(upvalue.index);
  }
}

void Compiler::variable_declaration() {
  const std::string_view name = variable_name("Expect variable name.");
  if (match(TokenKind::equal)) {
    expression();
    if (scope_->depth > 0) {
      code().own();
    }
  } else {
    code().constant(Value::nil());
  }
  // A statement that begins with the variable's value is not part of it.
  if (scope_->depth > 0) {
    scope_->code.barrier();
  }
  consume(TokenKind::semicolon, "Expect ';' after variable declaration.");
  define_variable(name);
}

void Compiler::statement() {
  Nesting nesting(*this);
  if (nesting.too_deep()) {
    return;
  }
  if (match(TokenKind::keyword_print)) {
    print_statement();
  } else if (match(TokenKind::keyword_for)) {
    for_statement();
  } else if (match(TokenKind::keyword_if)) {
    if_statement();
  } else if (match(TokenKind::keyword_return)) {
    return_statement();
  } else if (match(TokenKind::keyword_while)) {
    while_statement();
  } else if (match(TokenKind::left_brace)) {
    begin_block();
    block();
    end_block();
  } else {
    expression_statement();
  }
}

void Compiler::block() {
  while (!check(TokenKind::right_brace) && !check(TokenKind::end)) {
    declaration();
  }
  consume(TokenKind::right_brace, "Expect '}' after block.");
}

void Compiler::print_statement() {
  expression();
  consume(TokenKind::semicolon, "Expect ';' after value.");
  code().write(Opcode::print, -1);
}

void Compiler::return_statement() {
  if (scope_->kind == FunctionKind::script) {
    error("Can't return from top-level code.");
  }
  if (match(TokenKind::semicolon)) {
    if (scope_->kind == FunctionKind::initializer) {
      code().write8(Opcode::return_local, 0, 0);
    } else {
      code().write(Opcode::return_nil, 0);
    }
    return;
  }
  if (scope_->kind == FunctionKind::initializer) {
    error("Can't return a value from an initializer.");
  }
  expression();
  consume(TokenKind::semicolon, "Expect ';' after return value.");
  code().return_top();
}

void Compiler::land(std::size_t jump, std::size_t nominal_start) {
  if (scope_->code.nominal_size() - nominal_start > jump_max) {
    error("Too much code to jump over.");
  }
  scope_->code.land(jump);
}

void Compiler::loop(std::size_t start, std::size_t nominal_start) {
  if (scope_->code.nominal_size() - nominal_start > jump_max - 3) {
    error("Loop body too large.");
  }
  code().loop(start);
}

void Compiler::if_statement() {
  consume(TokenKind::left_paren, "Expect '(' after 'if'.");
  expression();
  consume(TokenKind::right_paren, "Expect ')' after condition.");
  const std::size_t over_then = code().jump_if_false_pop();
  const std::size_t then_start = scope_->code.nominal_size();
  statement();
  if (!match(TokenKind::keyword_else)) {
    land(over_then, then_start);
    return;
  }
  const std::size_t over_else = code().jump(Opcode::jump);
  const std::size_t else_start = scope_->code.nominal_size();
  land(over_then, then_start);
  statement();
  land(over_else, else_start);
}

void Compiler::while_statement() {
  scope_->code.barrier();
  const std::size_t start = scope_->code.size();
  const std::size_t nominal_start = scope_->code.nominal_size();
  consume(TokenKind::left_paren, "Expect '(' after 'while'.");
  expression();
  consume(TokenKind::right_paren, "Expect ')' after condition.");
  const std::size_t exit = code().jump_if_false_pop();
  statement();
  loop(start, nominal_start);
  land(exit, nominal_start);
}

void Compiler::for_statement() {
  begin_block();
  consume(TokenKind::left_paren, "Expect '(' after 'for'.");
  if (match(TokenKind::semicolon)) {
    // Nothing to begin with.
  } else if (match(TokenKind::keyword_var)) {
    variable_declaration();
  } else {
    expression_statement();
  }

  scope_->code.barrier();
  const std::size_t start = scope_->code.size();
  const std::size_t nominal_start = scope_->code.nominal_size();
  bool has_condition = false;
  std::size_t exit = 0;
  if (!match(TokenKind::semicolon)) {
    has_condition = true;
    expression();
    consume(TokenKind::semicolon, "Expect ';' after loop condition.");
    exit = code().jump_if_false_pop();
  }

  CodeBuilder::Fragment increment;
  if (!match(TokenKind::right_paren)) {
    scope_->code.barrier();
    const std::size_t increment_start = scope_->code.size();
    expression();
    code().pop();
    consume(TokenKind::right_paren, "Expect ')' after for clauses.");
    increment = scope_->code.cut(increment_start);
  }

  statement();
  scope_->code.paste(increment);
  loop(start, nominal_start);
  if (has_condition) {
    land(exit, nominal_start);
  }
  end_block();
}

void Compiler::expression_statement() {
  expression();
  consume(TokenKind::semicolon, "Expect ';' after expression.");
  code().pop();
}

}  // namespace lox
