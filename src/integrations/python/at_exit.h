// What must be done before Python takes its modules apart.
#pragma once

namespace tarn::python {

// Has Python call us at its end: the thread that gives pages back is stopped, and the report remembers the
// program's heap and not the ruins. Needs the GIL, at a point where Python may run. Once in a life of
// Python is enough; more does no harm.
void be_called_at_exit() noexcept;

// After Python came up again.
void forget_exit() noexcept;

}  // namespace tarn::python
