// Python's built-in types, in one include: none, bool, int, float, str, bytes, tuple, list, dict, set, and instances with
// attributes. Link Tarn::builtins. docs/builtins.md is a guide.
#pragma once

#include <tarn/builtins/builtins.h>
#include <tarn/builtins/errors.h>
#include <tarn/builtins/operations.h>
