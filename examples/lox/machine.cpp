#include "machine.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <new>

#include "compiler.h"

namespace lox {
namespace {

// What the outermost call returns to.
const std::uint8_t halt_code[] = {static_cast<std::uint8_t>(Opcode::halt)};

Value clock_native() { return Value::number(static_cast<double>(std::clock()) / CLOCKS_PER_SEC); }

template <class T>
void write(std::uint8_t* address, T value) {
  std::memcpy(address, &value, sizeof value);
}

std::uint32_t offset_in(const Instance& instance, const Field& field) {
  return static_cast<std::uint32_t>(reinterpret_cast<const std::byte*>(&field) -
                                    reinterpret_cast<const std::byte*>(&instance));
}

bool lies_inside(const Instance& instance, const Field& field) {
  return &field >= instance.items().data() && &field < instance.items().data() + instance.size();
}

// Cyclic garbage is at most as much as the heap, or so many bytes.
constexpr std::size_t garbage_floor = 1024 * 1024;

tarn::CollectorOptions collector_options() {
  tarn::CollectorOptions options;
  options.thresholds.garbage_floor = garbage_floor;
  return options;
}

}  // namespace

Machine::Machine(bool stress)
    : stack_(std::make_unique_for_overwrite<Value[]>((frames_max + 1) * slots_max)),
      frames_(std::make_unique_for_overwrite<Frame[]>(frames_max + 1)),
      collector_(heap_, collector_options()),
      init_name_(intern("init")),
      sp_(stack_.get()),
      frame_(frames_.get()),
      frames_end_(frames_.get() + frames_max + 1) {
  *frame_ = {halt_code, stack_.get(), nullptr};
  if (stress) {
    collector_.collect_at_allocations(1);
  }
  define_native("clock", &clock_native);
}

Machine::~Machine() {
  for (const Value global : globals_) {
    release(global);
  }
}

Outcome Machine::interpret(std::string_view source) {
  try {
    const tarn::Ref<Function> function = compile(*this, source);
    if (!function) {
      return Outcome::compile_error;
    }
    *sp_++ = Value::owned(heap_.make_sized<Closure>(0, *function));
    push_frame(*sp_[-1].as<Closure>(), 0);
    if (run()) {
      return Outcome::ok;
    }
  } catch (const std::bad_alloc&) {
    fail("Out of memory.");
  }
  unwind();
  return Outcome::runtime_error;
}

void Machine::verify() const {
  heap_.verify();
  collector_.verify();
}

int Machine::global_index(std::string_view name) {
  tarn::Ref<String> string = intern(name);
  const auto found = global_indices_.find(string.get());
  if (found != global_indices_.end()) {
    return found->second;
  }
  if (globals_.size() == globals_max) {
    return -1;
  }
  const auto index = static_cast<std::uint16_t>(globals_.size());
  global_indices_.emplace(string.get(), index);
  global_names_.push_back(std::move(string));
  globals_.push_back(Value::undefined());
  return index;
}

void Machine::define_native(std::string_view name, Native::Body body) {
  globals_[static_cast<std::size_t>(global_index(name))] = Value::owned(heap_.make<Native>(body));
}

// ---- errors

bool Machine::fail(const char* format, ...) {
  std::fflush(stdout);
  std::va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
  print_trace();
  return false;
}

bool Machine::fail_undefined_variable(std::uint16_t global) {
  const std::string_view name = global_names_[global]->text();
  return fail("Undefined variable '%.*s'.", static_cast<int>(name.size()), name.data());
}

bool Machine::fail_undefined_property(const String& name) {
  return fail("Undefined property '%.*s'.", static_cast<int>(name.text().size()),
              name.text().data());
}

// The innermost call first. Of many calls those at both ends tell the story.
void Machine::print_trace() const {
  constexpr std::ptrdiff_t shown_at_each_end = 32;
  const std::ptrdiff_t depth = frame_ - frames_.get();
  for (std::ptrdiff_t i = depth; i > 0; --i) {
    if (depth - i == shown_at_each_end && i > shown_at_each_end) {
      std::fprintf(stderr, "... %td more calls\n", i - shown_at_each_end);
      i = shown_at_each_end;
    }
    const Frame& frame = frames_[static_cast<std::size_t>(i)];
    const Function& function = *frame.closure->function;
    std::fprintf(stderr, "[line %d] in ", function.line_at(frame.ip - 1));
    if (function.name) {
      std::fwrite(function.name->text().data(), 1, function.name->size(), stderr);
      std::fputs("()\n", stderr);
    } else {
      std::fputs("script\n", stderr);
    }
  }
}

void Machine::unwind() {
  close_upvalues(stack_.get());
  while (sp_ != stack_.get()) {
    release(*--sp_);
  }
  frame_ = frames_.get();
}

// ---- calls

bool Machine::push_frame(Closure& closure, unsigned count) {
  if (closure.arity != count) {
    return fail("Expected %u arguments but got %u.", static_cast<unsigned>(closure.arity), count);
  }
  if (frame_ + 1 == frames_end_) {
    return fail("Stack overflow.");
  }
  *++frame_ = {closure.code, sp_ - 1 - count, &closure};
  return true;
}

bool Machine::call_value(unsigned count) {
  Value& callee = *(sp_ - 1 - count);
  if (is<Closure>(callee)) {
    return push_frame(*callee.as<Closure>(), count);
  }
  if (is<Class>(callee)) {
    return instantiate(*callee.as<Class>(), count);
  }
  if (is<BoundMethod>(callee)) {
    const Value bound = callee;
    Closure& method = *bound.as<BoundMethod>()->method;
    callee = copy_owned(bound.as<BoundMethod>()->receiver.get());
    release(bound);  // the receiver's class keeps the method
    return push_frame(method, count);
  }
  if (is<Native>(callee)) {
    const Value result = callee.as<Native>()->body();
    for (unsigned i = 0; i <= count; ++i) {
      release(*--sp_);
    }
    *sp_++ = result;
    return true;
  }
  return fail("Can only call functions and classes.");
}

bool Machine::instantiate(Class& owner, unsigned count) {
  make_instance(*(sp_ - 1 - count));
  if (owner.initializer != nullptr) {
    return push_frame(*owner.initializer, count);
  }
  if (count != 0) {
    return fail("Expected 0 arguments but got %u.", count);
  }
  return true;
}

bool Machine::invoke(const String& name, unsigned count, std::uint8_t* cache) {
  Value& receiver = *(sp_ - 1 - count);
  if (!is<Instance>(receiver)) {
    return fail("Only instances have methods.");
  }
  Instance& instance = *receiver.as<Instance>();
  if (const Field* const field = instance.find(name)) {
    const Value callee = copy_owned(field->get());
    release(std::exchange(receiver, callee));
    return call_value(count);
  }
  Closure* const method = instance.owner().find_method(name);
  if (method == nullptr) {
    return fail_undefined_property(name);
  }
  if (method->arity == count && instance.shape->id() != uncached_id) {
    write(cache, instance.shape->id());
    write(cache + 4, method);
  }
  return push_frame(*method, count);
}

bool Machine::get_super(const String& name, unsigned upvalue) {
  const Class& superclass = *frame_->closure->items()[upvalue]->location->as<Class>();
  Closure* const method = superclass.find_method(name);
  if (method == nullptr) {
    return fail_undefined_property(name);
  }
  Value& receiver = sp_[-1];
  receiver = to_owned(receiver);
  receiver =
      Value::owned(heap_.make<BoundMethod>(receiver, *method));  // which takes over its count
  return true;
}

bool Machine::invoke_super(const String& name, unsigned count, unsigned upvalue,
                           std::uint8_t* cache) {
  const Class& superclass = *frame_->closure->items()[upvalue]->location->as<Class>();
  std::uint32_t cached_id;
  std::memcpy(&cached_id, cache, sizeof cached_id);
  Closure* method;
  if (cached_id == superclass.id) {
    std::memcpy(&method, cache + 4, sizeof method);
  } else {
    method = superclass.find_method(name);
    if (method == nullptr) {
      return fail_undefined_property(name);
    }
    if (superclass.id != uncached_id) {
      write(cache, superclass.id);
      write(cache + 4, method);
    }
  }
  return push_frame(*method, count);
}

// ---- properties

bool Machine::get_property(Value receiver, const String& name, std::uint8_t* cache, Value* result) {
  if (!is<Instance>(receiver)) {
    return fail("Only instances have properties.");
  }
  Instance& instance = *receiver.as<Instance>();
  if (const Field* const field = instance.find(name)) {
    if (lies_inside(instance, *field) && instance.shape->id() != uncached_id) {
      write(cache, instance.shape->id());
      write(cache + 4, offset_in(instance, *field));
    }
    *result = copy_owned(field->get());
    return true;
  }
  Closure* const method = instance.owner().find_method(name);
  if (method == nullptr) {
    return fail_undefined_property(name);
  }
  *result = Value::owned(heap_.make<BoundMethod>(copy_owned(receiver), *method));
  return true;
}

bool Machine::set_property(Value receiver, const String& name, std::uint8_t* cache, Value owned) {
  if (!is<Instance>(receiver)) {
    release(owned);
    return fail("Only instances have fields.");
  }
  Instance& instance = *receiver.as<Instance>();
  const std::uint32_t id = instance.shape->id();
  Shape* next = nullptr;
  Field* field = instance.find(name);
  if (field != nullptr) {
    field->set(owned);
  } else {
    try {
      instance.add(name, owned);
    } catch (const std::bad_alloc&) {
      release(owned);
      throw;
    }
    field = instance.find(name);
    next = instance.shape.get();
  }
  if (lies_inside(instance, *field) && id != uncached_id && instance.shape->id() != uncached_id) {
    write(cache, id);
    write(cache + 4, offset_in(instance, *field));
    write(cache + 8, next);
  }
  return true;
}

// ---- operators

bool Machine::add_slow() {
  const Value left = sp_[-2];
  const Value right = sp_[-1];
  if (!is<String>(left) || !is<String>(right)) {
    return fail("Operands must be two numbers or two strings.");
  }
  const std::string_view first = left.as<String>()->text();
  const std::string_view second = right.as<String>()->text();
  tarn::Ref<String> both = heap_.make_sized<String>(first.size() + second.size());
  std::copy(second.begin(), second.end(),
            std::copy(first.begin(), first.end(), both->items().begin()));
  --sp_;
  sp_[-1] = Value::owned(std::move(both));
  release(left);
  release(right);
  return true;
}

bool Machine::equal_objects(Value left, Value right) const {
  if (!is<String>(left) || !is<String>(right)) {
    return false;
  }
  const String& a = *left.as<String>();
  const String& b = *right.as<String>();
  return !(a.is_interned() && b.is_interned()) && a.text() == b.text();
}

void Machine::print(Value value) const {
  const auto put = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); };
  const auto put_function = [&put](const Function& function) {
    if (!function.name) {
      put("<script>");
      return;
    }
    put("<fn ");
    put(function.name->text());
    put(">");
  };
  if (value.is_number()) {
    std::printf("%g", value.as_number());
  } else if (value.is_nil()) {
    put("nil");
  } else if (value.is_boolean()) {
    put(value.is_false() ? "false" : "true");
  } else if (is<String>(value)) {
    put(value.as<String>()->text());
  } else if (is<Closure>(value)) {
    put_function(*value.as<Closure>()->function);
  } else if (is<BoundMethod>(value)) {
    put_function(*value.as<BoundMethod>()->method->function);
  } else if (is<Class>(value)) {
    put(value.as<Class>()->name->text());
  } else if (is<Instance>(value)) {
    put(value.as<Instance>()->owner().name->text());
    put(" instance");
  } else {
    put("<native fn>");
  }
  put("\n");
}

// ---- closures and classes

void Machine::make_closure(unsigned function_index, const std::uint8_t* captures) {
  Function& function = *frame_->closure->function->functions[function_index];
  tarn::Ref<Closure> closure = heap_.make_sized<Closure>(function.upvalue_count, function);
  for (tarn::Member<Upvalue>& upvalue : closure->items()) {
    const bool is_local = *captures++ != 0;
    const std::uint8_t index = *captures++;
    upvalue = is_local ? capture(frame_->slots + index)
                       : tarn::Ref<Upvalue>(frame_->closure->items()[index]);
  }
  *sp_++ = Value::owned(std::move(closure));
}

tarn::Ref<Upvalue> Machine::capture(Value* slot) {
  auto place = open_upvalues_.end();
  while (place != open_upvalues_.begin() && (*(place - 1))->location >= slot) {
    --place;
  }
  if (place != open_upvalues_.end() && (*place)->location == slot) {
    return *place;
  }
  place = open_upvalues_.insert(place, heap_.make<Upvalue>(slot));
  highest_captured_ = open_upvalues_.back()->location;
  return *place;
}

void Machine::close_upvalues(const Value* from) {
  while (!open_upvalues_.empty() && open_upvalues_.back()->location >= from) {
    open_upvalues_.back()->close();
    open_upvalues_.pop_back();
  }
  highest_captured_ = open_upvalues_.empty() ? nullptr : open_upvalues_.back()->location;
}

void Machine::make_class(const String& name, unsigned fields) {
  const std::uint32_t id = next_class_id_ == 0 ? uncached_id : next_class_id_++;
  tarn::Ref<String> shared(tarn::share, const_cast<String*>(&name));
  *sp_ = Value::owned(heap_.make<Class>(std::move(shared), id, shape_ids_, fields));
  ++sp_;
}

bool Machine::inherit() {
  if (!is<Class>(sp_[-2])) {
    return fail("Superclass must be a class.");
  }
  sp_[-1].as<Class>()->inherit(*sp_[-2].as<Class>());
  release(*--sp_);
  return true;
}

void Machine::add_method(const String& name) {
  Class& owner = *sp_[-2].as<Class>();
  Closure* const method = sp_[-1].as<Closure>();
  owner.methods[&name] = tarn::Ref<Closure>(tarn::share, method);
  if (&name == init_name_.get()) {
    owner.initializer = method;
  }
  release(*--sp_);
}

}  // namespace lox
