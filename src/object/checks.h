// Checks of the library's own steps, for objects that a debug build watches.
#pragma once

#include <tarn/object/object.h>

namespace tarn::object {

// Aborts with a message when somebody borrows the object, which is about to die.
void check_not_borrowed(const Object& object) noexcept;

}  // namespace tarn::object
