#include "tools/cli/opened_snapshot.h"

#include <fmt/format.h>

#include <filesystem>

#include "sight/reading/bad_snapshot.h"
#include "tools/cli/failure.h"
#include "tools/cli/snapshot_name.h"
#include "tools/cli/text.h"

namespace tarn::cli {

sight::reading::HeapImage open_snapshot(const std::string& word,
                                        sight::reading::References references) {
  std::error_code error;
  const SnapshotName name = read_snapshot_name(word, std::filesystem::exists(word, error));
  try {
    const sight::reading::SnapshotReader reader(name.path);
    return load_heap_image(reader, snapshot_at(name, reader.snapshots()), references);
  } catch (const sight::reading::BadSnapshot& bad) {
    throw Failure(exit_failure, fmt::format("{}: {}", escape(name.path), bad.what()));
  }
}

}  // namespace tarn::cli
