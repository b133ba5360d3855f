// Writes the code of one function, and joins instructions into faster ones as it goes.
//
// Joining looks at the last instructions written. A place that jumps come to is a barrier: what is written after
// it isn't joined with what stands before.
//
// Reading a local variable pushes a borrowed copy. If the variable may change while the copy waits on the stack,
// the instruction is rewritten to push an owned one; that becomes known later, so the places are kept:
//   - an assignment to it later in the same expression: `a + (a = b)`           own_local_reads(slot, from, to)
//   - a closure that captures it: any call may then assign to it                own_local_reads(slot)
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "opcode.h"
#include "value.h"

namespace lox {

struct LineRun {
  std::uint32_t offset;  // of the first instruction of the run
  std::uint32_t line;
};

class CodeBuilder {
 public:
  explicit CodeBuilder(int depth) : depth_(depth), max_depth_(depth) {}

  void set_line(int line) { line_ = static_cast<std::uint32_t>(line); }

  void constant(Value value);
  void pop();
  void own();  // makes sure that the top of the stack is owned, or a constant
  void local(std::uint8_t slot, bool owned);
  void binary(Opcode opcode);
  void get_property(std::uint16_t name);
  void call(std::uint8_t count);
  void invoke(std::uint16_t name, std::uint8_t count);
  void invoke_super(std::uint16_t name, std::uint8_t count, std::uint8_t upvalue);
  void return_top();
  // Everything else. `effect` is by how much the operand stack grows.
  void write(Opcode opcode, int effect);
  void write8(Opcode opcode, std::uint8_t operand, int effect);
  void write16(Opcode opcode, std::uint16_t operand, int effect);
  void byte(std::uint8_t byte) { code_.push_back(byte); }
  void half(std::uint16_t half) { put(half); }

  // Takes back the read of slot 0 written last, for an instruction that reads it by itself. False: there is none.
  bool take_back_this();

  // Each returns the place to patch. The condition is popped by the first.
  std::size_t jump_if_false_pop();
  std::size_t jump(Opcode opcode);
  void land(std::size_t jump);  // the jump comes here
  void loop(std::size_t start);
  void barrier();

  // Code that is to run later than it is read: the increment of a for loop.
  struct Fragment {
    std::vector<std::uint8_t> code;
    std::vector<LineRun> lines;
    struct Read {
      std::size_t offset;
      std::uint8_t slot;
    };
    std::vector<Read> reads;
  };
  Fragment cut(std::size_t from);
  void paste(const Fragment& fragment);

  void own_local_reads(std::uint8_t slot, std::size_t from, std::size_t to);
  void own_local_reads(std::uint8_t slot) { own_local_reads(slot, 0, code_.size()); }

  void patch16(std::size_t offset, std::uint16_t value);
  std::size_t size() const { return code_.size(); }
  // The size if nothing had been left out: what the limit of a loop's body is measured by.
  std::size_t nominal_size() const { return code_.size() + left_out_; }
  int depth() const { return depth_; }
  void set_depth(int depth) { depth_ = depth; }
  int max_depth() const { return max_depth_; }
  std::vector<std::uint8_t> take_code() { return std::move(code_); }
  std::vector<LineRun> take_lines() { return std::move(lines_); }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  template <class T>
  void put(T value);
  Value value_at(std::size_t offset) const;
  void begin(Opcode opcode, int effect);
  bool last_is(Opcode opcode) const {
    return last_ != none && code_[last_] == static_cast<std::uint8_t>(opcode);
  }
  Opcode last_opcode() const { return static_cast<Opcode>(code_[last_]); }
  void drop_last();
  void rewrite_last(Opcode opcode) { code_[last_] = static_cast<std::uint8_t>(opcode); }

  std::vector<std::uint8_t> code_;
  std::vector<LineRun> lines_;
  std::vector<Fragment::Read> reads_;
  std::size_t last_ = none;    // the instruction written last, and the one before it,
  std::size_t before_ = none;  // none where a barrier stands between
  std::size_t left_out_ = 0;
  std::uint32_t line_ = 0;
  int depth_;
  int max_depth_;
};

}  // namespace lox
