#include "tools/cli/snapshot_name.h"

#include <fmt/format.h>

#include <charconv>

#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {

SnapshotName read_snapshot_name(const std::string& word, bool exists) {
  const std::size_t mark = word.rfind('#');
  if (exists || mark == std::string::npos || mark == 0) {
    return {word, -1};
  }
  SnapshotName name{word.substr(0, mark), 0};
  const char* const end = word.data() + word.size();
  const auto read = std::from_chars(word.data() + mark + 1, end, name.position);
  if (read.ec != std::errc() || read.ptr != end || name.position == 0) {
    return {word, -1};
  }
  return name;
}

std::uint64_t snapshot_at(const SnapshotName& name, const std::vector<std::uint64_t>& snapshots) {
  const auto count = static_cast<std::int64_t>(snapshots.size());
  const std::int64_t index = name.position > 0 ? name.position - 1 : count + name.position;
  if (index < 0 || index >= count) {
    throw Failure(
        exit_failure,
        fmt::format("{}: there is no snapshot #{} in it, {}", escape(name.path), name.position,
                    count == 1 ? "only one" : fmt::format("only {}", count)));
  }
  return snapshots[static_cast<std::size_t>(index)];
}

}  // namespace tarn::cli
