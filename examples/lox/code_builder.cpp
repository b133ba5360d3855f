#include "code_builder.h"

#include <algorithm>
#include <cstring>

namespace lox {
namespace {

// What a statement of only a literal or a variable would take.
constexpr std::size_t size_of_push_and_pop = 2;

}  // namespace

template <class T>
void CodeBuilder::put(T value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  code_.insert(code_.end(), bytes, bytes + sizeof value);
}

Value CodeBuilder::value_at(std::size_t offset) const {
  Value value;
  std::memcpy(&value, &code_[offset], sizeof value);
  return value;
}

void CodeBuilder::begin(Opcode opcode, int effect) {
  const auto offset = static_cast<std::uint32_t>(code_.size());
  if (lines_.empty() || lines_.back().line != line_) {
    if (!lines_.empty() && lines_.back().offset == offset) {
      lines_.back().line = line_;
    } else {
      lines_.push_back({offset, line_});
    }
  }
  before_ = last_;
  last_ = code_.size();
  code_.push_back(static_cast<std::uint8_t>(opcode));
  depth_ += effect;
  max_depth_ = std::max(max_depth_, depth_);
}

void CodeBuilder::drop_last() {
  code_.resize(last_);
  while (!lines_.empty() && lines_.back().offset >= last_) {
    lines_.pop_back();
  }
  while (!reads_.empty() && reads_.back().offset >= last_) {
    reads_.pop_back();
  }
  last_ = before_;
  before_ = none;
}

void CodeBuilder::barrier() { last_ = before_ = none; }

void CodeBuilder::write(Opcode opcode, int effect) { begin(opcode, effect); }

void CodeBuilder::write8(Opcode opcode, std::uint8_t operand, int effect) {
  begin(opcode, effect);
  put(operand);
}

// Room for the cache of instructions that have one is left behind the operand.
void CodeBuilder::write16(Opcode opcode, std::uint16_t operand, int effect) {
  begin(opcode, effect);
  put(operand);
  if (opcode != Opcode::make_class && opcode != Opcode::get_super) {
    code_.resize(code_.size() + operand_bytes(opcode) - 2);
  }
}

void CodeBuilder::constant(Value value) {
  begin(Opcode::constant, 1);
  put(value);
}

void CodeBuilder::local(std::uint8_t slot, bool owned) {
  begin(owned ? Opcode::local_owned : Opcode::local, 1);
  if (!owned) {
    reads_.push_back({last_, slot});
  }
  put(slot);
}

void CodeBuilder::pop() {
  if (last_is(Opcode::constant) || last_is(Opcode::local) || last_is(Opcode::local_owned)) {
    drop_last();
    left_out_ += size_of_push_and_pop;
    --depth_;
    return;
  }
  if (last_ != none) {
    switch (last_opcode()) {
      case Opcode::set_local:
      case Opcode::set_upvalue:
      case Opcode::set_global:
      case Opcode::set_property:
      case Opcode::set_this_property:
        rewrite_last(last_opcode() + 1);
        --depth_;
        return;
      default:
        break;
    }
  }
  begin(Opcode::pop, -1);
}

void CodeBuilder::own() {
  if (last_is(Opcode::local)) {
    rewrite_last(Opcode::local_owned);
  } else if (last_ == none) {
    begin(Opcode::own, 0);  // the value of `and` or `or`, from either of two places
  }
}

void CodeBuilder::binary(Opcode opcode) {
  const bool any_constant = opcode == Opcode::equal || opcode == Opcode::not_equal;
  if (last_is(Opcode::constant) && (any_constant || value_at(last_ + 1).is_number())) {
    const Value right = value_at(last_ + 1);
    drop_last();
    --depth_;
    const bool is_sum = opcode == Opcode::add || opcode == Opcode::subtract;
    if (is_sum && (last_is(Opcode::local) || last_is(Opcode::local_owned))) {
      const std::uint8_t slot = code_[last_ + 1];
      drop_last();
      --depth_;
      begin(opcode == Opcode::add ? Opcode::local_add_constant : Opcode::local_subtract_constant,
            1);
      put(slot);
    } else {
      begin(opcode + (Opcode::equal_constant - Opcode::equal), 0);
    }
    put(right);
  } else if (last_is(Opcode::local)) {
    const std::uint8_t slot = code_[last_ + 1];
    drop_last();
    --depth_;
    begin(opcode + (Opcode::equal_local - Opcode::equal), 0);
    put(slot);
  } else {
    begin(opcode, -1);
  }
}

void CodeBuilder::get_property(std::uint16_t name) {
  if (last_is(Opcode::local) || last_is(Opcode::local_owned)) {
    const std::uint8_t slot = code_[last_ + 1];
    drop_last();
    --depth_;
    begin(Opcode::get_local_property, 1);
    put(slot);
    put(name);
    put(std::uint64_t{0});
  } else {
    write16(Opcode::get_property, name, 0);
  }
}

bool CodeBuilder::take_back_this() {
  if (!(last_is(Opcode::local) || last_is(Opcode::local_owned)) || code_[last_ + 1] != 0) {
    return false;
  }
  drop_last();
  --depth_;
  return true;
}

void CodeBuilder::call(std::uint8_t count) { write8(Opcode::call, count, -count); }

void CodeBuilder::invoke(std::uint16_t name, std::uint8_t count) {
  begin(Opcode::invoke, -count);
  put(name);
  put(count);
  code_.resize(code_.size() + 12);
}

void CodeBuilder::invoke_super(std::uint16_t name, std::uint8_t count, std::uint8_t upvalue) {
  begin(Opcode::invoke_super, -count);
  put(name);
  put(count);
  put(upvalue);
  code_.resize(code_.size() + 12);
}

void CodeBuilder::return_top() {
  if (last_is(Opcode::constant) && value_at(last_ + 1).is_nil()) {
    drop_last();
    begin(Opcode::return_nil, -1);
  } else if (last_is(Opcode::local) || last_is(Opcode::local_owned)) {
    const std::uint8_t slot = code_[last_ + 1];
    drop_last();
    write8(Opcode::return_local, slot, -1);
  } else {
    begin(Opcode::return_top, -1);
  }
}

std::size_t CodeBuilder::jump(Opcode opcode) {
  const bool pops = opcode == Opcode::pop_jump_if_false || opcode == Opcode::pop_jump_if_true;
  begin(opcode, pops ? -1 : 0);
  put(std::int32_t{0});
  return code_.size();
}

std::size_t CodeBuilder::jump_if_false_pop() {
  if (last_ == none) {
    return jump(Opcode::pop_jump_if_false);
  }
  if (last_is(Opcode::invert)) {
    drop_last();
    return jump(Opcode::pop_jump_if_true);
  }
  const Opcode opcode = last_opcode();
  if (!is_comparison(opcode)) {
    return jump(Opcode::pop_jump_if_false);
  }
  const int family = (opcode - Opcode::equal) / (Opcode::equal_constant - Opcode::equal);
  const int which = (opcode - Opcode::equal) % (Opcode::equal_constant - Opcode::equal);
  const int family_size = Opcode::unless_equal_constant - Opcode::unless_equal;
  rewrite_last(Opcode::unless_equal + (family * family_size + which));
  --depth_;
  put(std::int32_t{0});
  return code_.size();
}

void CodeBuilder::land(std::size_t jump) {
  const auto distance = static_cast<std::int32_t>(code_.size() - jump);
  std::memcpy(&code_[jump - sizeof distance], &distance, sizeof distance);
  barrier();
}

void CodeBuilder::loop(std::size_t start) {
  begin(Opcode::jump, 0);
  put(static_cast<std::int32_t>(static_cast<std::ptrdiff_t>(start) -
                                static_cast<std::ptrdiff_t>(code_.size() + sizeof(std::int32_t))));
  barrier();
}

CodeBuilder::Fragment CodeBuilder::cut(std::size_t from) {
  Fragment fragment;
  const auto start = code_.begin() + static_cast<std::ptrdiff_t>(from);
  fragment.code.assign(start, code_.end());
  code_.erase(start, code_.end());
  // The run that the fragment begins in has begun before it.
  std::size_t first = lines_.size();
  while (first > 0 && lines_[first - 1].offset >= from) {
    --first;
  }
  if (!fragment.code.empty() && first > 0 &&
      (first == lines_.size() || lines_[first].offset > from)) {
    fragment.lines.push_back({0, lines_[first - 1].line});
  }
  for (std::size_t i = first; i < lines_.size(); ++i) {
    fragment.lines.push_back({lines_[i].offset - static_cast<std::uint32_t>(from), lines_[i].line});
  }
  lines_.resize(first);
  while (!reads_.empty() && reads_.back().offset >= from) {
    fragment.reads.push_back({reads_.back().offset - from, reads_.back().slot});
    reads_.pop_back();
  }
  barrier();
  return fragment;
}

void CodeBuilder::paste(const Fragment& fragment) {
  const std::size_t start = code_.size();
  code_.insert(code_.end(), fragment.code.begin(), fragment.code.end());
  for (const LineRun& run : fragment.lines) {
    lines_.push_back({run.offset + static_cast<std::uint32_t>(start), run.line});
  }
  for (std::size_t i = fragment.reads.size(); i-- > 0;) {
    reads_.push_back({fragment.reads[i].offset + start, fragment.reads[i].slot});
  }
  barrier();
}

void CodeBuilder::own_local_reads(std::uint8_t slot, std::size_t from, std::size_t to) {
  for (const Fragment::Read& read : reads_) {
    // The instruction may have been joined into one that reads the variable when it runs.
    if (read.offset >= from && read.offset < to && read.slot == slot &&
        code_[read.offset] == static_cast<std::uint8_t>(Opcode::local)) {
      code_[read.offset] = static_cast<std::uint8_t>(Opcode::local_owned);
    }
  }
}

void CodeBuilder::patch16(std::size_t offset, std::uint16_t value) {
  std::memcpy(&code_[offset], &value, sizeof value);
}

}  // namespace lox
