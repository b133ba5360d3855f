#include "compiler.h"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "code_builder.h"
#include "machine.h"
#include "scanner.h"

namespace lox {
namespace {

enum class FunctionKind : std::uint8_t { script, function, method, initializer };

enum class Precedence : std::uint8_t {
  none,
  assignment,
  logical_or,
  logical_and,
  equality,
  comparison,
  term,
  factor,
  unary,
  call,
};

constexpr Precedence above(Precedence precedence) {
  return static_cast<Precedence>(static_cast<int>(precedence) + 1);
}

constexpr std::size_t literals_max = 256;
constexpr std::size_t locals_max = 256;
constexpr std::size_t upvalues_max = 256;
constexpr std::size_t names_max = 65536;
constexpr std::size_t jump_max = 65535;
constexpr int parameters_max = 255;

struct Local {
  static constexpr int not_yet_readable = -1;

  std::string_view name;
  int depth;
  bool captured = false;
};

struct Upvalue {
  std::uint8_t index;
  bool is_local;  // of the enclosing function; otherwise one of its upvalues
};

// A function being compiled; those around it are up the chain.
struct FunctionScope {
  FunctionScope* enclosing;
  FunctionKind kind;
  tarn::Ref<Function> function;
  CodeBuilder code{1};
  std::vector<Local> locals;
  std::vector<Upvalue> upvalues;
  std::unordered_map<std::string_view, std::uint16_t> names;
  std::size_t literals = 0;
  std::size_t expression_start = 0;  // nothing that waits on the stack was pushed before it
  int depth = 0;
};

struct ClassScope {
  ClassScope* enclosing;
  bool has_superclass = false;
  std::set<std::string_view> fields;  // that methods assign to, as this.name
};

class Compiler {
 public:
  Compiler(Machine& machine, std::string_view source) : machine_(machine), scanner_(source) {}

  tarn::Ref<Function> script();

 private:
  // Tokens and errors.
  void advance();
  bool check(TokenKind kind) const { return current_.kind == kind; }
  bool match(TokenKind kind);
  void consume(TokenKind kind, const char* message);
  void error_at(const Token& token, const char* message);
  void error(const char* message) { error_at(previous_, message); }
  void synchronize();

  // Functions, scopes, variables.
  CodeBuilder& code();
  void begin_function(FunctionScope& scope, FunctionKind kind, std::string_view name);
  tarn::Ref<Function> end_function();
  void begin_block() { ++scope_->depth; }
  void end_block();
  void declare_local(std::string_view name);
  void add_local(std::string_view name);
  void mark_readable();
  std::string_view variable_name(const char* message);
  void define_variable(std::string_view name);
  int find_local(FunctionScope& scope, std::string_view name);
  int find_upvalue(FunctionScope& scope, std::string_view name);
  int add_upvalue(FunctionScope& scope, std::uint8_t index, bool is_local);
  std::uint16_t global(std::string_view name);
  std::uint16_t name_index(std::string_view name);

  // Statements.
  void declaration();
  void class_declaration();
  void method();
  void function_declaration();
  void function(FunctionKind kind, std::string_view name);
  void variable_declaration();
  void statement();
  void block();
  void print_statement();
  void return_statement();
  void if_statement();
  void while_statement();
  void for_statement();
  void expression_statement();
  void loop(std::size_t start, std::size_t nominal_start);
  void land(std::size_t jump, std::size_t nominal_start);

  // Expressions.
  struct Rule {
    void (Compiler::*prefix)(bool can_assign);
    void (Compiler::*infix)(bool can_assign);
    Precedence precedence;
  };
  static Rule rule(TokenKind kind);
  void expression();
  void parse(Precedence precedence);
  void grouping(bool can_assign);
  void number(bool can_assign);
  void string(bool can_assign);
  void literal(bool can_assign);
  void variable(bool can_assign);
  void this_expression(bool can_assign);
  void super_expression(bool can_assign);
  void unary(bool can_assign);
  void binary(bool can_assign);
  void and_expression(bool can_assign);
  void or_expression(bool can_assign);
  void call(bool can_assign);
  void dot(bool can_assign);
  std::uint8_t arguments();
  void named_variable(std::string_view name, bool can_assign);
  void constant(Value value);
  void string_constant(std::string_view text);

  class Nesting {
   public:
    explicit Nesting(Compiler& compiler) : compiler_(compiler) { ++compiler_.nesting_; }
    ~Nesting() { --compiler_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool too_deep();

   private:
    Compiler& compiler_;
  };

  Machine& machine_;
  Scanner scanner_;
  Token current_{TokenKind::end, {}, 1};
  Token previous_{TokenKind::end, {}, 1};
  FunctionScope* scope_ = nullptr;
  ClassScope* class_ = nullptr;
  int nesting_ = 0;
  int expression_nesting_ = 0;
  bool had_error_ = false;
  bool panicking_ = false;
  bool gave_up_ = false;
};

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

// ---- statements

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
  for (const Upvalue& upvalue : scope.upvalues) {
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

// ---- expressions

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

}  // namespace

tarn::Ref<Function> compile(Machine& machine, std::string_view source) {
  return Compiler(machine, source).script();
}

}  // namespace lox
