// Where the blocks of a snapshot were allocated, as far as that is recorded (sites.h). Before anything of Python's
// runs in the copy: that allocates, and would be recorded too.
#pragma once

#include "integrations/python/snapshot_blocks.h"

namespace tarn::python {

void write_recorded_sites(const SnapshotBlocks& blocks) noexcept;

}  // namespace tarn::python
