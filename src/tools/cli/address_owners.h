// Whose a process's addresses are, for a snapshot: the kernel's mappings, cut where Tarn's arenas and large blocks begin
// and end. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "sight/capture.h"
#include "sight/snapshot_file.h"
#include "tools/cli/memory_map.h"
#include "tools/cli/report.h"

namespace tarn::cli {

// In order of addresses. The rows' resident bytes add up to the mappings'.
[[nodiscard]] std::vector<sight::MappingRow> find_owners(
    const std::vector<Mapping>& mappings, const sight::Capture& capture, const Report& report,
    const std::vector<std::uint64_t>& stack_pointers);

}  // namespace tarn::cli
