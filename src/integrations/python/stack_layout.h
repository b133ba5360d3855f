// Where the running frame's stack is in CPython's own structures: offsets in bytes, by version. They are internal,
// and each minor version has kept its own from its first release on. scripts/cpython-stack-layout prints them from
// the headers of a Python; tests compare what is read with what Python says.
//
//   up to 3.10   thread state ──frame──► frame object ──f_back──► frame object …
//   3.11, 3.12   thread state ──cframe──► ──current_frame──► interpreter frame ──previous──► …
//   3.13         thread state ──current_frame──► interpreter frame ──previous──► …
//
// A frame object is never made: interpreter frames are read where they lie.
#pragma once

#include <cstdint>

namespace tarn::python {

struct StackLayout {
  int minor;
  // Of the thread state.
  std::uint16_t frame;  // of its frame, or the C frame that has it
  // Of the C frame; `direct`: there is none.
  std::uint16_t current_frame;
  // Of the frame.
  std::uint16_t code;
  std::uint16_t previous;
  std::uint16_t instruction;  // pointer to the last or the current one; up to 3.10 not used
  std::uint16_t owner;        // one byte; up to 3.10 not used
  // Of the code object.
  std::uint16_t name;
  std::uint16_t file;
  std::uint16_t first_instruction;  // up to 3.10 not used
  std::uint16_t first_traceable;    // an int: before that instruction the frame isn't complete
  // Sizes of a string's header, if it is ASCII and if it isn't.
  std::uint16_t ascii_header;
  std::uint16_t compact_header;

  static constexpr std::uint16_t direct = 0xffff;
};

inline constexpr StackLayout stack_layouts[] = {
    {8, 24, StackLayout::direct, 32, 24, 0, 0, 112, 104, 0, 0, 48, 72},
    {9, 24, StackLayout::direct, 32, 24, 0, 0, 112, 104, 0, 0, 48, 72},
    {10, 24, StackLayout::direct, 32, 24, 0, 0, 112, 104, 0, 0, 48, 72},
    {11, 56, 8, 32, 48, 56, 69, 128, 112, 184, 168, 48, 72},
    {12, 56, 0, 0, 8, 56, 70, 128, 112, 192, 176, 40, 56},
    {13, 72, StackLayout::direct, 0, 8, 56, 70, 128, 112, 200, 184, 40, 56},
};

// Of every version: of an object its type, of a string its length and its state.
inline constexpr std::uint16_t type_of_object = 8;
inline constexpr std::uint16_t length_of_string = 16;
inline constexpr std::uint16_t state_of_string = 32;

// The frame that belongs to the C stack (3.12 and later), and a generator's.
inline constexpr std::uint8_t owned_by_generator = 1;
inline constexpr std::uint8_t owned_by_c_stack = 3;

}  // namespace tarn::python
