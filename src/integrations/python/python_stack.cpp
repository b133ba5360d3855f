#include "integrations/python/python_stack.h"

#include <cstring>

#include "integrations/python/cpython.h"
#include "integrations/python/gil.h"
#include "integrations/python/hook.h"
#include "integrations/python/stack_layout.h"

namespace tarn::python {

namespace {

constinit const StackLayout* layout = nullptr;

template <typename Field>
Field read(const void* structure, std::size_t offset) noexcept {
  Field field;
  std::memcpy(&field, static_cast<const char*>(structure) + offset, sizeof(field));
  return field;
}

const void* pointer(const void* structure, std::size_t offset) noexcept {
  return read<const void*>(structure, offset);
}

// A string object's text in UTF-8, or as much of it as the table keeps.
class Text {
 public:
  explicit Text(const void* string) noexcept {
    if (string == nullptr) {
      return;
    }
    const auto state = read<std::uint32_t>(string, state_of_string);
    const auto length = static_cast<std::size_t>(read<std::int64_t>(string, length_of_string));
    const unsigned kind = (state >> 2U) & 7U;
    const bool is_compact = (state & 0x20U) != 0;
    const bool is_ascii = (state & 0x40U) != 0;
    const auto* const bytes = static_cast<const char*>(string);
    if (!is_compact) {
      text_ =
          "?";  // made by C code in an old way (up to 3.11); never a name that the compiler gave
    } else if (is_ascii) {
      text_ = {bytes + layout->ascii_header, length};
    } else {
      encode(bytes + layout->compact_header, kind, length);
    }
  }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  [[nodiscard]] std::string_view view() const noexcept { return text_; }

 private:
  void encode(const char* units, unsigned kind, std::size_t length) noexcept {
    std::size_t size = 0;
    for (std::size_t i = 0; i < length && size + 4 <= sizeof(buffer_); ++i) {
      std::uint32_t character = 0;
      std::memcpy(&character, units + i * kind, kind);
      size += encode(character, buffer_ + size);
    }
    text_ = {buffer_, size};
  }
  static std::size_t encode(std::uint32_t character, char* to) noexcept {
    const auto tail = [&](unsigned shift) {
      return static_cast<char>(0x80U | ((character >> shift) & 0x3fU));
    };
    if (character < 0x80) {
      to[0] = static_cast<char>(character);
      return 1;
    }
    if (character < 0x800) {
      to[0] = static_cast<char>(0xc0U | (character >> 6U));
      to[1] = tail(0);
      return 2;
    }
    if (character < 0x10000) {
      // A lone surrogate (a file's name that isn't UTF-8) becomes the replacement character.
      if (character >= 0xd800 && character < 0xe000) {
        character = 0xfffd;
      }
      to[0] = static_cast<char>(0xe0U | (character >> 12U));
      to[1] = tail(6);
      to[2] = tail(0);
      return 3;
    }
    to[0] = static_cast<char>(0xf0U | ((character >> 18U) & 7U));
    to[1] = tail(12);
    to[2] = tail(6);
    to[3] = tail(0);
    return 4;
  }

  std::string_view text_;
  char buffer_[sites::SiteTable::most_string_bytes];
};

bool has_interpreter_frames() noexcept { return layout->minor >= 11; }

// Null: the thread runs no Python.
const void* innermost_frame(const PyThreadState* thread) noexcept {
  const void* const frame = pointer(thread, layout->frame);
  return layout->current_frame == StackLayout::direct || frame == nullptr
             ? frame
             : pointer(frame, layout->current_frame);
}

// Of an interpreter frame, in bytes.
std::ptrdiff_t instruction_of(const void* frame, const void* code) noexcept {
  return static_cast<const char*>(pointer(frame, layout->instruction)) -
         (static_cast<const char*>(code) + layout->first_instruction);
}

// Whether the frame is one of a Python function that has begun: sys._getframe() passes over the others too.
bool is_complete(const void* frame, const void* code) noexcept {
  if (!has_interpreter_frames()) {
    return true;
  }
  constexpr std::ptrdiff_t unit = 2;  // bytes of an instruction
  const auto owner = read<std::uint8_t>(frame, layout->owner);
  return owner == owned_by_generator ||
         (owner < owned_by_c_stack &&
          instruction_of(frame, code) >= unit * read<int>(code, layout->first_traceable));
}

int line_of(const void* frame, const void* code) noexcept {
  return has_interpreter_frames() ? PyCode_Addr2Line(const_cast<void*>(code),
                                                     static_cast<int>(instruction_of(frame, code)))
                                  : PyFrame_GetLineNumber(const_cast<void*>(frame));
}

const PyThreadState* thread_state(Domain domain) noexcept {
  // Whoever calls another domain than raw holds the GIL; but with a second interpreter, up to 3.11, has_gil()
  // says no in its threads.
  if (Py_IsInitialized() == 0 || (domain == Domain::raw && !has_gil())) {
    return nullptr;
  }
  return _PyThreadState_UncheckedGet != nullptr ? _PyThreadState_UncheckedGet()
                                                : PyThreadState_GetUnchecked();
}

}  // namespace

bool prepare_stack_walk() noexcept {
  if (hook.version.major != 3 || &PyCode_Type == nullptr || PyCode_Addr2Line == nullptr) {
    return false;
  }
  for (const StackLayout& candidate : stack_layouts) {
    if (candidate.minor == hook.version.minor) {
      layout = &candidate;
    }
  }
  return layout != nullptr;
}

void walk_python_stack(sites::SiteTable& table, Domain domain) noexcept {
  const PyThreadState* const thread = thread_state(domain);
  if (thread == nullptr) {
    return;
  }
  for (const void* frame = innermost_frame(thread); frame != nullptr;
       frame = pointer(frame, layout->previous)) {
    const void* const code = pointer(frame, layout->code);
    // The C stack's frames of 3.13 have None there.
    if (code == nullptr || pointer(code, type_of_object) != &PyCode_Type ||
        !is_complete(frame, code)) {
      continue;
    }
    const int line = line_of(frame, code);
    if (!table.add_frame(Text(pointer(code, layout->name)).view(),
                         Text(pointer(code, layout->file)).view(),
                         line > 0 ? static_cast<std::uint32_t>(line) : 0)) {
      return;
    }
  }
}

}  // namespace tarn::python
