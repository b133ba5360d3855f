// What must be done before Python takes its modules apart.
#pragma once

namespace tarn::python {

// Has Python call us at its end: our threads are stopped, and the report remembers the program's heap and
// not the ruins. Needs the GIL, at a point where Python may run. Once in a life of
// Python is enough; more does no harm. False: Python refused.
[[nodiscard]] bool be_called_at_exit() noexcept;

// After Python came up, perhaps again. Whether it had called us since the last time: then what was stopped
// is to be started anew.
[[nodiscard]] bool forget_exit() noexcept;

}  // namespace tarn::python
