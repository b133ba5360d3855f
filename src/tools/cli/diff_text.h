// What grew between two snapshots, for people and for programs. Pure; strings of the snapshots are escaped.
#pragma once

#include <string>

#include "sight/reading/comparison.h"
#include "tools/cli/console.h"

namespace tarn::cli {

// At most `most_lines` of each table, those that changed most. Ends with a newline.
[[nodiscard]] std::string diff_text(const sight::reading::Summary& before,
                                    const sight::reading::Summary& after,
                                    const sight::reading::Comparison& comparison,
                                    std::size_t most_lines, const Style& style);
[[nodiscard]] std::string diff_json(const sight::reading::Summary& before,
                                    const sight::reading::Summary& after,
                                    const sight::reading::Comparison& comparison);

}  // namespace tarn::cli
