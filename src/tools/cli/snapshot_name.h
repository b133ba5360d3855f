// How a snapshot is named on the command line:
//
//   before.sqlite      the last one in the file
//   before.sqlite#1    the first one; #-2 the last but one
//
// A file whose own name ends so is meant before all else. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tarn::cli {

struct SnapshotName {
  std::string path;
  std::int64_t position = -1;  // from 1 up, or from -1 down; never 0
};

// `exists` says whether the whole word is a file's name.
[[nodiscard]] SnapshotName read_snapshot_name(const std::string& word, bool exists);

// The id that is meant, of those in the file. Throws Failure.
[[nodiscard]] std::uint64_t snapshot_at(const SnapshotName& name,
                                        const std::vector<std::uint64_t>& snapshots);

}  // namespace tarn::cli
