#include "compiler.h"

#include <cstdio>

#include "parser.h"

namespace lox {

// ---- tokens and errors

void Compiler::advance() {
  previous_ = current_;
  for (;;) {
    current_ = scanner_.next();
    if (!check(TokenKind::error)) {
      return;
    }
    error_at(current_, current_.text.data());
  }
}

bool Compiler::match(TokenKind kind) {
  if (!check(kind)) {
    return false;
  }
  advance();
  return true;
}

void Compiler::consume(TokenKind kind, const char* message) {
  if (!match(kind)) {
    error_at(current_, message);
  }
}

// One error a statement: those that follow from it would only confuse.
void Compiler::error_at(const Token& token, const char* message) {
  if (panicking_ || gave_up_) {
    return;
  }
  panicking_ = had_error_ = true;
  std::fprintf(stderr, "[line %d] Error", token.line);
  if (token.kind == TokenKind::end) {
    std::fputs(" at end", stderr);
  } else if (token.kind != TokenKind::error) {
    std::fputs(" at '", stderr);
    std::fwrite(token.text.data(), 1, token.text.size(), stderr);
    std::fputs("'", stderr);
  }
  std::fprintf(stderr, ": %s\n", message);
}

void Compiler::synchronize() {
  panicking_ = false;
  while (!check(TokenKind::end)) {
    if (previous_.kind == TokenKind::semicolon) {
      return;
    }
    switch (current_.kind) {
      case TokenKind::keyword_class:
      case TokenKind::keyword_fun:
      case TokenKind::keyword_var:
      case TokenKind::keyword_for:
      case TokenKind::keyword_if:
      case TokenKind::keyword_while:
      case TokenKind::keyword_print:
      case TokenKind::keyword_return:
        return;
      default:
        advance();
    }
  }
}

// Skips the rest of the source: behind the limit every token would be an error.
bool Compiler::Nesting::too_deep() {
  if (compiler_.nesting_ <= nesting_max) {
    return false;
  }
  compiler_.error("Too much nesting.");
  compiler_.gave_up_ = true;
  while (!compiler_.check(TokenKind::end)) {
    compiler_.advance();
  }
  return true;
}

// ---- functions, scopes, variables

CodeBuilder& Compiler::code() {
  scope_->code.set_line(previous_.line);
  return scope_->code;
}

void Compiler::begin_function(FunctionScope& scope, FunctionKind kind, std::string_view name) {
  scope.enclosing = scope_;
  scope.kind = kind;
  scope.function = machine_.new_function();
  if (kind != FunctionKind::script) {
    scope.function->name = machine_.intern(name);
  }
  const bool has_this = kind == FunctionKind::method || kind == FunctionKind::initializer;
  scope.locals.push_back({has_this ? "this" : "", 0});
  scope_ = &scope;
}

tarn::Ref<Function> Compiler::end_function() {
  if (scope_->kind == FunctionKind::initializer) {
    code().write8(Opcode::return_local, 0, 0);
  } else {
    code().write(Opcode::return_nil, 0);
  }
  if (scope_->code.max_depth() > slots_max) {
    error("Expression needs too many temporaries.");
  }
  Function& function = *scope_->function;
  function.code = scope_->code.take_code();
  function.lines = scope_->code.take_lines();
  function.upvalue_count = static_cast<std::uint16_t>(scope_->upvalues.size());
  tarn::Ref<Function> done = std::move(scope_->function);
  scope_ = scope_->enclosing;
  return done;
}

void Compiler::end_block() {
  --scope_->depth;
  auto& locals = scope_->locals;
  // Variables are popped where nothing was pushed by the instruction before, so nothing may be joined with it.
  while (!locals.empty() && locals.back().depth > scope_->depth) {
    scope_->code.barrier();
    if (locals.back().captured) {
      code().write(Opcode::close_upvalue, -1);
    } else {
      code().write(Opcode::pop, -1);
    }
    locals.pop_back();
  }
}

void Compiler::add_local(std::string_view name) {
  if (scope_->locals.size() == locals_max) {
    error("Too many local variables in function.");
    return;
  }
  scope_->locals.push_back({name, Local::not_yet_readable});
}

void Compiler::declare_local(std::string_view name) {
  if (scope_->depth == 0) {
    return;
  }
  for (std::size_t i = scope_->locals.size(); i-- > 0;) {
    const Local& local = scope_->locals[i];
    if (local.depth != Local::not_yet_readable && local.depth < scope_->depth) {
      break;
    }
    if (local.name == name) {
      error("Already a variable with this name in this scope.");
      break;
    }
  }
  add_local(name);
}

void Compiler::mark_readable() {
  if (scope_->depth > 0) {
    scope_->locals.back().depth = scope_->depth;
  }
}

std::string_view Compiler::variable_name(const char* message) {
  consume(TokenKind::identifier, message);
  declare_local(previous_.text);
  return previous_.text;
}

// The value is on the stack: for a local variable that is its place.
void Compiler::define_variable(std::string_view name) {
  if (scope_->depth > 0) {
    mark_readable();
  } else {
    code().write16(Opcode::define_global, global(name), -1);
  }
}

int Compiler::find_local(FunctionScope& scope, std::string_view name) {
  for (std::size_t i = scope.locals.size(); i-- > 0;) {
    if (scope.locals[i].name != name) {
      continue;
    }
    if (scope.locals[i].depth == Local::not_yet_readable) {
      error("Can't read local variable in its own initializer.");
    }
    return static_cast<int>(i);
  }
  return -1;
}

int Compiler::find_upvalue(FunctionScope& scope, std::string_view name) {
  if (scope.enclosing == nullptr) {
    return -1;
  }
  FunctionScope& enclosing = *scope.enclosing;
  const int local = find_local(enclosing, name);
  if (local >= 0) {
    const auto slot = static_cast<std::uint8_t>(local);
    if (!enclosing.locals[slot].captured) {
      enclosing.locals[slot].captured = true;
      enclosing.code.own_local_reads(slot);
    }
    return add_upvalue(scope, slot, true);
  }
  const int upvalue = find_upvalue(enclosing, name);
  return upvalue < 0 ? -1 : add_upvalue(scope, static_cast<std::uint8_t>(upvalue), false);
}

int Compiler::add_upvalue(FunctionScope& scope, std::uint8_t index, bool is_local) {
  for (std::size_t i = 0; i < scope.upvalues.size(); ++i) {
    if (scope.upvalues[i].index == index && scope.upvalues[i].is_local == is_local) {
      return static_cast<int>(i);
    }
  }
  if (scope.upvalues.size() == upvalues_max) {
    error("Too many closure variables in function.");
    return 0;
  }
  scope.upvalues.push_back({index, is_local});
  return static_cast<int>(scope.upvalues.size() - 1);
}

std::uint16_t Compiler::global(std::string_view name) {
  const int index = machine_.global_index(name);
  if (index < 0) {
    error("Too many global variables.");
    return 0;
  }
  return static_cast<std::uint16_t>(index);
}

std::uint16_t Compiler::name_index(std::string_view name) {
  const auto [entry, is_new] =
      scope_->names.try_emplace(name, static_cast<std::uint16_t>(scope_->names.size()));
  if (is_new) {
    if (scope_->names.size() > names_max) {
      error("Too many names in function.");
    }
    scope_->function->names.emplace_back(machine_.intern(name));
  }
  return entry->second;
}

tarn::Ref<Function> compile(Machine& machine, std::string_view source) {
  return Compiler(machine, source).script();
}

}  // namespace lox
