// sys.getallocatedblocks() and sys._debugmallocstats() ask pymalloc, which has nothing to say when it
// isn't used. Their definitions get functions of ours, which answer from Tarn; that reaches every
// interpreter, since they share the definitions.
#pragma once

namespace tarn::python {

// At the next moment between two bytecodes, since the caller is inside an allocation.
void install_sys_functions_later() noexcept;

}  // namespace tarn::python
