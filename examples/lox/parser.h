// The compiler's one class: what it reads, what it knows of the functions around, and what it writes. Its parts are in
// compiler.cpp (tokens, functions, variables), statements.cpp and expressions.cpp.
#pragma once

#include <set>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "code_builder.h"
#include "compiler.h"
#include "machine.h"
#include "scanner.h"

namespace lox {

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

[[nodiscard]] constexpr Precedence above(Precedence precedence) {
  return static_cast<Precedence>(static_cast<int>(precedence) + 1);
}

inline constexpr std::size_t literals_max = 256;
inline constexpr std::size_t locals_max = 256;
inline constexpr std::size_t upvalues_max = 256;
inline constexpr std::size_t names_max = 65536;
inline constexpr std::size_t jump_max = 65535;
inline constexpr int parameters_max = 255;

struct Local {
  static constexpr int not_yet_readable = -1;

  std::string_view name;
  int depth;
  bool captured = false;
};

struct Capture {
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
  std::vector<Capture> upvalues;
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

}  // namespace lox
