// A snapshot that is taken of a process only to be looked at: in a private folder in TMPDIR or /tmp, and gone with
// this object.
#pragma once

#include <string>

#include "tools/cli/target.h"

namespace tarn::cli {

class TakenSnapshot {
 public:
  // By `tarn snapshot --references` as a process of its own: what it takes in memory is given back before the answers
  // are computed. Throws Failure, with what it said, and Interrupted.
  explicit TakenSnapshot(const Target& target);
  ~TakenSnapshot();
  TakenSnapshot(const TakenSnapshot&) = delete;
  TakenSnapshot& operator=(const TakenSnapshot&) = delete;

  [[nodiscard]] std::string path() const { return folder_ + "/snapshot"; }

 private:
  void remove() const noexcept;

  std::string folder_;
};

}  // namespace tarn::cli
