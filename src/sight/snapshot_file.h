// Writing a snapshot into a SQLite file. The file is there whole, or as it was before: a new one is written beside its
// place and renamed, an old one is added to in one transaction.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "sight/capture.h"

namespace tarn::sight {

// What is known from elsewhere: who has this has looked at the process's mappings.
struct MappingRow {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::string permissions;
  std::string owner;
  std::string name;
};
struct LedgerRow {
  std::string key;
  std::string name;
  std::int64_t bytes = 0;
};
struct Surroundings {
  std::string reason;
  std::string program;
  std::string python;
  std::string tarn;
  std::string geometry;
  std::string address_map;
  std::string checks;
  std::uint64_t resident = 0;
  std::vector<MappingRow> mappings;
  std::vector<LedgerRow> ledger;
};

enum class Existing { replace, append };

struct WriteOptions {
  Existing existing = Existing::replace;
  bool has_references = false;
  // Asked again and again: true, and nothing comes of it. Null: it's never called off.
  bool (*is_called_off)() = nullptr;
};

// Printable, and one line.
class CantWrite : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Returns the snapshot's id in the file. Throws CantWrite, and CalledOff (database.h); the file is then as it was.
std::int64_t write_snapshot(const std::string& path, const Capture& capture,
                            const Surroundings& surroundings, const WriteOptions& options);

}  // namespace tarn::sight
